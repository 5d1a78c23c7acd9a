"""The bill of materials of a bundle, in CycloneDX's form: the packages that made it, and the weights."""

import re
from collections.abc import Mapping
from typing import Any

SPECIFICATION = "1.6"
"""Of CycloneDX: https://cyclonedx.org/docs/1.6/json. No date and no serial number: equal inputs give equal bundles."""

LICENCE = "Apache-2.0"
"""Of the package and the weights; what their training data allow stands in the model card."""


def bill_of_materials(tools: Mapping[str, str], weights: Mapping[str, str]) -> dict[str, Any]:
    """A CycloneDX document.

    Args:
        tools: packages of PyPI and their versions; ``portraiture`` is what the bill is of.
        weights: network -> SHA-256 of its weights.
    """
    own = tools["portraiture"]
    packages: list[dict[str, Any]] = [
        {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        for name, version in sorted(tools.items())
        for purl in [f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}"]
    ]
    models: list[dict[str, Any]] = [
        {
            "type": "machine-learning-model",
            "bom-ref": f"weights:{name}",
            "name": f"{name} weights",
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }
        for name, digest in sorted(weights.items())
    ]
    licences = [{"license": {"id": LICENCE}}]
    whole = {"type": "application", "bom-ref": "bundle", "name": "portraiture bundle", "version": own}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {"component": {**whole, "licenses": licences}},
        "components": [*packages, *models],
        "dependencies": [{"ref": "bundle", "dependsOn": [c["bom-ref"] for c in (*packages, *models)]}],
    }
