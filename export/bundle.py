"""Writing a bundle: convert, examine, describe, checksum."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portraiture.export.app_constants import write_constants
from portraiture.export.calibration import tflite_samples
from portraiture.export.contract import (
    COMPOSE_RULE,
    DEFAULT_MODELS,
    DEFAULT_SIZE,
    DEFAULT_TARGETS,
    LAYOUT,
    PRECISIONS,
    RESIZE_RULE,
    VERSION,
    Packaging,
    Precision,
    Route,
    Size,
    Target,
    describe,
)
from portraiture.export.coreml import write_coreml
from portraiture.export.doctor import examine
from portraiture.export.doctor_gates import check_gates
from portraiture.export.goldens import sample_photo, write_goldens
from portraiture.export.in_place import replacing as replacing
from portraiture.export.manifest import (
    MANIFEST,
    ModelFile,
    checksums,
    file_path,
    git_revision,
    model_files,
    read_manifest,
    sha256,
    tool_versions,
    write_json,
)
from portraiture.export.model_card import model_card, write_card
from portraiture.export.networks import Checkpoints, build
from portraiture.export.onnx import onnx_op_counts, write_onnx
from portraiture.export.onnx_tf import write_onnx_tf
from portraiture.export.packaging import bytes_of, package
from portraiture.export.tflite import tflite_op_counts, write_tflite
from portraiture.export.tflite_metadata import write_metadata
from portraiture.export.tflite_quantize import quantize
from portraiture.export.truth import Truth
from portraiture.reference.errors import InputError, OptionError

Report = Callable[[str], None]


def silent(_: str) -> None:
    """Reports nothing."""


@dataclass(frozen=True)
class BundleSpec:
    """What to export.

    ``calibration`` are the photo files on which static int8 finds the ranges of activations.
    """

    models: tuple[str, ...] = DEFAULT_MODELS
    targets: tuple[Target, ...] = DEFAULT_TARGETS
    precisions: tuple[Precision, ...] = (Precision.FP16,)
    sizes: tuple[Size, ...] = (DEFAULT_SIZE,)
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    route: Route = Route.LITERT
    packaging: Packaging = Packaging.SINGLE
    calibration: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """Raises OptionError where a target has none of the precisions asked for, or a precision no target.

        Also where static int8 has no photos, or photos are given and it is not asked for, or the route has no target.
        """
        if self.route is not Route.LITERT and Target.TFLITE not in self.targets:
            asked = ", ".join(t.value for t in self.targets)
            raise OptionError(f"--route {self.route.value}: expected --target tflite with it, found {asked}")
        if self.route is not Route.LITERT and {Precision.INT8, Precision.INT8_STATIC} & set(self.precisions):
            raise OptionError(
                f"--route {self.route.value}: expected --precision fp32 or fp16; int8 keeps layers float by the names"
                " that --route litert writes"
            )
        for target in self.targets:
            if not set(self.precisions) & set(PRECISIONS[target]):
                can = ", ".join(p.value for p in PRECISIONS[target])
                asked = ", ".join(p.value for p in self.precisions)
                raise OptionError(f"--precision {asked}: {target.value} is written in {can}; add one of them")
        for precision in self.precisions:
            if not any(precision in PRECISIONS[t] for t in self.targets):
                takers = ", ".join(t.value for t in Target if precision in PRECISIONS[t])
                asked = ", ".join(t.value for t in self.targets)
                raise OptionError(f"--precision {precision.value}: expected --target {takers} with it, found {asked}")
        static = Precision.INT8_STATIC in self.precisions
        if static and not self.calibration:
            raise OptionError("--precision int8-static: expected --calibrate DIR, a folder of your photos, found none")
        if self.calibration and not static:
            raise OptionError(
                "--calibrate: expected --precision int8-static with it, found none; only that needs photos"
            )

    def files(self) -> list[ModelFile]:
        """Every single file that is written, finest precision first; shared ones are made of them."""
        return [
            ModelFile(name, target, precision, size, file_path(name, target, precision, size))
            for target in self.targets
            for size in self.sizes
            for name in self.models
            for precision in PRECISIONS[target]
            if precision in self.precisions
        ]


def convert(
    spec: BundleSpec, file: ModelFile, root: Path, float32: dict[tuple[str, Size], Path], report: Report = silent
) -> dict[str, str]:
    """Write one model file; TFLite precisions are made from one float32 conversion, kept in ``float32``.

    Returns:
        The module of the network by the name of a value in the file, where the file's own names do not tell.
    """
    path = root / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    network = build(file.name, spec.checkpoints, LAYOUT[file.target])
    if file.target is Target.COREML:
        return write_coreml(network, file.size, file.precision, path)
    if file.target is Target.ONNX:
        write_onnx(network, file.size, file.precision, path)
        return {}
    key = (file.name, file.size)
    if key not in float32:
        float32[key] = root / f".{file.name}_{file.size}.tflite"
        if spec.route is Route.ONNX_TF:
            write_onnx_tf(file.name, spec.checkpoints, file.size, float32[key], report)
        else:
            write_tflite(network, file.size, float32[key])
    if file.precision is Precision.FP32:
        shutil.copyfile(float32[key], path)
    else:
        static = file.precision is Precision.INT8_STATIC
        samples = tflite_samples(file.name, file.size, spec.calibration, spec.checkpoints) if static else []
        quantize(float32[key], path, file.precision, samples)
    write_metadata(path, [(file.name, file.size)])
    return {}


def op_counts(root: Path, file: ModelFile) -> dict[str, int]:
    """Operations of a written file by name."""
    if file.target is Target.TFLITE:
        return tflite_op_counts(root / file.path)
    if file.target is Target.ONNX:
        return onnx_op_counts(root / file.path)
    from portraiture.export.mil.interpreter import MilProgram

    return MilProgram.load(root / file.path).op_counts()


def write_models(spec: BundleSpec, root: Path, report: Report = silent) -> list[dict[str, Any]]:
    """Write all model files and return their manifest entries.

    Args:
        spec: what to write.
        root: the new bundle.
        report: called with lines of progress: each file before it is written, and what its route has to say.

    Raises:
        GateError: the doctor refuses a file.
    """
    entries = []
    float32: dict[tuple[str, Size], Path] = {}
    truth = Truth(spec.checkpoints)
    for name, size in dict.fromkeys((f.name, f.size) for f in spec.files()):
        check_gates(build(name, spec.checkpoints), size, truth.feeds(name, size, sample_photo()))
    for file in spec.files():
        report(f"writing {file.path}")
        modules = convert(spec, file, root, float32, report)
        examine(root, file, spec.checkpoints, modules, spec.route)
        counts = op_counts(root, file)
        by_route = file.target is Target.TFLITE and spec.route is not Route.LITERT
        entries.append(
            {
                "name": file.name,
                "target": file.target.value,
                "precision": file.precision.value,
                "size": str(file.size),
                "path": file.path,
                "bytes": bytes_of(root / file.path),
                "ops": counts,
                "op_count": sum(counts.values()),
                **describe(file.name, file.target, file.size),
                **({"route": spec.route.value} if by_route else {}),
            }
        )
    for path in float32.values():
        path.unlink()
    return package(root, entries, spec.packaging)


def finish(root: Path, spec: BundleSpec, entries: Sequence[dict[str, Any]]) -> None:
    """Write goldens, model card and manifest into a bundle whose models are written."""
    write_goldens(root, spec.checkpoints, model_files({"models": list(entries)}))
    write_constants(root, spec.models, spec.sizes, spec.packaging)
    card = model_card(spec.checkpoints)
    write_card(card, root / "MODEL_CARD.md")
    weights = {"perception": sha256(spec.checkpoints.perception), "filter": sha256(spec.checkpoints.filter)}
    manifest = {
        "contract_version": VERSION,
        "git_revision": git_revision(),
        "tools": tool_versions(spec.targets, spec.route),
        "resize": RESIZE_RULE,
        "compose": COMPOSE_RULE,
        "weights": weights,
        "model_card": card,
        "models": list(entries),
        "files": checksums(root),
    }
    write_json(root / MANIFEST, manifest)


def find(root: Path, target: Target, precision: Precision | None = None) -> list[ModelFile]:
    """The files of a target in a bundle, of one precision (default: the finest there is, in the order of the enum)."""
    files = [f for f in model_files(read_manifest(root)) if f.target is target]
    if not files:
        raise InputError(f"{root}: expected {target.value} models, found none; export with --target {target.value}")
    if precision is None:
        precision = min((f.precision for f in files), key=lambda p: list(Precision).index(p))
    chosen = [f for f in files if f.precision is precision]
    if not chosen:
        raise InputError(f"{root}: expected {precision.value} models; export with --precision {precision.value}")
    return chosen
