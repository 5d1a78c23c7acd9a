"""What a bundle holds beside its models: goldens, constants, kits, the model card and the manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.contents import write_contents
from portraiture.export.bundle.manifest import MANIFEST, model_files
from portraiture.export.contract import VERSION
from portraiture.export.kits.kit import write_kits
from portraiture.export.networks.digests import digests
from portraiture.export.networks.look import look_entries
from portraiture.export.pipeline.truth import Truth
from portraiture.export.rules import COMPOSE_RULE, RESIZE_RULE
from portraiture.export.writing.bill import bill_of_materials
from portraiture.export.writing.goldens import write_goldens
from portraiture.export.writing.model_card import model_card, write_card
from portraiture.export.writing.provenance import git_revision, tool_versions
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.files import write_json


def finish(root: Path, spec: BundleSpec, entries: Sequence[dict[str, Any]], truth: Truth) -> None:
    """Write all but the models into a bundle; the manifest comes last, with the checksum of every other file.

    Args:
        root: the bundle, its models written.
        spec: what was exported.
        entries: of the manifest, one per model.
        truth: of the networks that were exported.
    """
    plan = {} if spec.plan is None else {"plan": spec.plan.to_json()}
    files = model_files({"models": list(entries), **plan})
    write_goldens(root, truth, files)
    write_contents(root, files)
    write_kits(root, spec.kits)
    card = model_card(spec.checkpoints)
    write_card(card, root / "MODEL_CARD.md")
    weights = digests(truth.networks)
    tools = tool_versions(spec.targets, spec.route)
    manifest = {
        "contract_version": VERSION,
        "git_revision": git_revision(),
        "tools": tools,
        "bill_of_materials": bill_of_materials(tools, weights),
        **look_entries(spec.checkpoints),
        "resize": RESIZE_RULE,
        "compose": COMPOSE_RULE,
        "weights": weights,
        "model_card": card,
        "models": list(entries),
        **plan,
        "files": checksums(root),
    }
    write_json(root / MANIFEST, manifest)
