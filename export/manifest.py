"""``manifest.json``: what is in a bundle, and the proof that it is what was written."""

import hashlib
import importlib.metadata
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraiture.export.contract import MODELS, SUFFIX, Precision, Route, Size, Target
from portraiture.export.manifest_schema import problem
from portraiture.reference.errors import InputError

MANIFEST = "manifest.json"
_TOOLS = ("portraiture", "torch", "litert-torch", "ai-edge-litert", "ai-edge-quantizer", "coremltools", "numpy")
_ONNX_TOOLS = ("onnx", "onnxruntime")


@dataclass(frozen=True)
class ModelFile:
    """One exported model in a bundle.

    Attributes:
        path: relative to the bundle.
        entry: signature (TFLite) or function (Core ML) in a file that several models share; empty in a file of its own.
    """

    name: str
    target: Target
    precision: Precision
    size: Size
    path: str
    entry: str = ""


def file_path(name: str, target: Target, precision: Precision, size: Size) -> str:
    """Path inside a bundle, such as ``tflite/perception_512x384_fp16.tflite``."""
    return f"{target.value}/{name}_{size}_{precision.value}{SUFFIX[target]}"


def shared_path(target: Target, precision: Precision) -> str:
    """Path of a file that several models share, such as ``tflite/portraiture_fp16.tflite``."""
    return f"{target.value}/portraiture_{precision.value}{SUFFIX[target]}"


def entry_name(name: str, size: Size) -> str:
    """Signature or function of a model in a shared file, such as ``perception_512x384``."""
    return f"{name}_{size}"


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def files_of(root: Path) -> list[Path]:
    """All files below a bundle that carry a checksum, sorted."""
    files = (p for p in root.rglob("*") if p.is_file())
    return sorted(p for p in files if p != root / MANIFEST)


def checksums(root: Path) -> dict[str, str]:
    """sha256 of every file of a bundle by relative path."""
    return {p.relative_to(root).as_posix(): sha256(p) for p in files_of(root)}


def tool_versions(targets: Sequence[Target], route: Route = Route.LITERT) -> dict[str, str]:
    """Versions of the packages that wrote the bundle; onnx-tf's environment is pinned with the package."""
    onnx = Target.ONNX in targets or route is Route.ONNX_TF
    names = (*_TOOLS, *(_ONNX_TOOLS if onnx else ()))
    return {name: importlib.metadata.version(name) for name in names}


def git_revision() -> str:
    """Revision of the checkout this package runs from, or ``unknown`` for an installed wheel.

    A wheel may be installed inside another project's checkout; that one's revision says nothing.
    """
    folder = Path(__file__).resolve().parent
    if not (folder.parent / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip() or "unknown"


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, to a temporary name first."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")
    temporary.replace(path)


def read_manifest(root: Path) -> dict[str, Any]:
    """The manifest of a bundle.

    Raises:
        InputError: no bundle there, not JSON, or not of the schema.
    """
    path = root / MANIFEST
    if not path.is_file():
        raise InputError(f"{root}: expected a bundle with {MANIFEST}, found none; make one with portraiture export")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path}: expected JSON ({error}); export the bundle again") from error
    wrong = problem(manifest)
    if wrong:
        raise InputError(
            f"{path}: expected a manifest of this version's schema, found {wrong}; export the bundle again"
        )
    return manifest


def model_files(manifest: dict[str, Any]) -> list[ModelFile]:
    """The models of a manifest, typed."""
    try:
        return [
            ModelFile(
                m["name"],
                Target(m["target"]),
                Precision(m["precision"]),
                Size.parse(m["size"]),
                m["path"],
                m.get("entry") or "",
            )
            for m in manifest["models"]
            if m["name"] in MODELS or _unknown_model(m["name"])
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{MANIFEST}: a model entry is not valid ({error}); export the bundle again") from error


def _unknown_model(name: str) -> bool:
    raise InputError(f"{MANIFEST}: expected models {', '.join(MODELS)}, found {name!r}; export the bundle again")


def verify(root: Path, manifest: dict[str, Any]) -> None:
    """Check every file's checksum.

    Raises:
        InputError: a file is missing, was changed, or was added.
    """
    expected: dict[str, str] = manifest["files"]
    found = checksums(root)
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise InputError(f"{root / name}: expected a file of the bundle, it is missing; export the bundle again")
        if name not in expected:
            raise InputError(f"{root / name}: not in {MANIFEST}; remove it or export the bundle again")
        if expected[name] != found[name]:
            raise InputError(f"{root / name}: its sha256 is not the one in {MANIFEST}: the file was changed;"
                             " export the bundle again")  # fmt: skip
