"""Opens a bundle of any release: what every release's manifest has is checked, all else may be there or not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from portraiture.export.bundle.checksums import verify
from portraiture.export.bundle.manifest import read_json_manifest
from portraiture.export.bundle.schema import RelativePath, Sha256, SizeText, problem
from portraiture.export.contract import MODELS, Size
from portraiture.export.formats import SUFFIX, Precision, Target
from portraiture.export.model_file import ModelFile, bytes_of
from portraiture.reference.errors import InputError

PLACE = ("name", "target", "precision", "size", "entry")
"""What tells one model of a manifest from all others."""


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _AnyModel(_Lenient):
    """What every release says of a model."""

    name: str
    target: str
    precision: str
    size: SizeText
    path: RelativePath
    entry: str | None = None
    op_count: int | None = None
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []


class _AnyManifest(_Lenient):
    """What every release's manifest has, and what it holds where it is there."""

    contract_version: str
    models: list[_AnyModel] = Field(min_length=1)
    files: dict[RelativePath, Sha256]
    git_revision: str = ""
    resize: dict[str, Any] = {}
    compose: dict[str, Any] = {}
    tools: dict[str, Any] = {}
    weights: dict[str, Any] = {}
    model_card: dict[str, Any] = {}


@dataclass(frozen=True)
class AnyModel:
    """A model in a bundle of any release.

    Attributes:
        entry: the manifest's own words of it.
        known: the same as this release knows it; None where it has no such model, format, precision or size.
        content: sha256 by path of what the model's file holds; equal contents compute the same.
    """

    entry: dict[str, Any]
    known: ModelFile | None
    content: dict[str, str]

    @property
    def path(self) -> str:
        """Relative to the bundle."""
        return str(self.entry["path"])

    @property
    def is_shared(self) -> bool:
        """Whether its file holds several models."""
        return bool(self.entry.get("entry"))

    def __str__(self) -> str:
        words = " ".join(str(self.entry[k]) for k in PLACE[:4])
        return f"{words} in {Path(self.path).name}" if self.is_shared else words


@dataclass(frozen=True)
class AnyBundle:
    """A bundle of any release, whose files are those of its manifest.

    Attributes:
        root: its folder.
        manifest: as JSON holds it.
        models: by their words, such as ``perception tflite fp16 512x384``, in the manifest's order.
        sizes: bytes by path relative to the bundle, a Core ML package as one.
    """

    root: Path
    manifest: dict[str, Any]
    models: dict[str, AnyModel]
    sizes: dict[str, int]

    def part(self, name: str) -> dict[str, Any]:
        """One of the manifest's dictionaries; empty where the release had none."""
        return dict(self.manifest.get(name) or {})


def _known(entry: dict[str, Any]) -> ModelFile | None:
    """A manifest's model, typed; None where this release does not know it."""
    try:
        size, target, precision = Size.parse(entry["size"]), Target(entry["target"]), Precision(entry["precision"])
    except (ValueError, InputError):
        return None
    if entry["name"] not in MODELS or not entry["path"].endswith(SUFFIX[target]):
        return None
    return ModelFile(entry["name"], target, precision, size, entry["path"], entry.get("entry") or "")


def _inside(path: str, files: dict[str, str]) -> dict[str, str]:
    """The files that a model's path stands for, each by its path below it."""
    return {n.removeprefix(path): s for n, s in files.items() if n == path or n.startswith(f"{path}/")}


def open_any_release(root: Path) -> AnyBundle:
    """Read a bundle that any release wrote, and prove each file by its checksum.

    Raises:
        InputError: no bundle, a manifest that lacks what every release has, or a file that is missing, changed or
            added.
    """
    manifest = read_json_manifest(root)
    wrong = problem(manifest, _AnyManifest)
    if wrong:
        raise InputError(f"{root}: expected a manifest of a bundle, found {wrong}; export the bundle again")
    verify(root, manifest)
    models = {}
    for entry in manifest["models"]:
        model = AnyModel(entry, _known(entry), _inside(entry["path"], manifest["files"]))
        if not model.content:
            raise InputError(f"{root}: expected {entry['path']} among the manifest's files, found none;"
                             " export the bundle again")  # fmt: skip
        if str(model) in models:
            raise InputError(f"{root}: expected each model once, found {model} twice; export the bundle again")
        models[str(model)] = model
    packages = {m.path for m in models.values()}
    others = [n for n in manifest["files"] if not any(n == p or n.startswith(f"{p}/") for p in packages)]
    return AnyBundle(root, manifest, models, {n: bytes_of(root / n) for n in sorted({*packages, *others})})
