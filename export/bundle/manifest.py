"""``manifest.json``: what is in a bundle."""

from pathlib import Path
from typing import Any

from portraiture.export.bundle.schema import problem
from portraiture.export.contract import MODELS, Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.plan import plan_of
from portraiture.reference.errors import InputError
from portraiture.reference.files import parse_json

MANIFEST = "manifest.json"


def read_json_manifest(root: Path) -> Any:
    """What the manifest of a bundle holds, of any form.

    Raises:
        InputError: no bundle there, or not JSON.
    """
    path = root / MANIFEST
    if not path.is_file():
        raise InputError(f"{root}: expected a bundle with {MANIFEST}, found none; make one with portraiture export")
    try:
        return parse_json(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: expected JSON ({error}); export the bundle again") from error


def read_manifest(root: Path) -> dict[str, Any]:
    """The manifest of a bundle.

    Raises:
        InputError: no bundle there, not JSON, or not of the schema.
    """
    manifest: dict[str, Any] = read_json_manifest(root)
    wrong = problem(manifest)
    if wrong:
        raise InputError(f"{root / MANIFEST}: expected a manifest of this version's schema, found {wrong};"
                         " export the bundle again")  # fmt: skip
    return manifest


def model_files(manifest: dict[str, Any]) -> list[ModelFile]:
    """The models of a manifest, typed.

    Raises:
        InputError: a model that this version does not know, or an entry that is not valid.
    """
    for name in (m.get("name") for m in manifest["models"]):
        if name not in MODELS:
            raise InputError(
                f"{MANIFEST}: expected models {', '.join(MODELS)}, found {name!r}; export the bundle again"
            )
    plan = manifest.get("plan")
    try:
        return [
            ModelFile(
                m["name"],
                Target(m["target"]),
                Precision(m["precision"]),
                Size.parse(m["size"]),
                m["path"],
                m.get("entry") or "",
                plan_of(plan, MANIFEST) if m["precision"] == Precision.PLAN.value else None,
            )
            for m in manifest["models"]
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{MANIFEST}: a model entry is not valid ({error}); export the bundle again") from error
