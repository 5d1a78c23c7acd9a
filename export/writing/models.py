"""Writes and examines every model file of an export."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from portraiture.export.contract import Size
from portraiture.export.coreml.write import write_coreml
from portraiture.export.describe import describe
from portraiture.export.doctor.examine import examine
from portraiture.export.doctor.gates import check_gates
from portraiture.export.formats import LAYOUT, Precision, Route, Target
from portraiture.export.model_file import ModelFile, bytes_of
from portraiture.export.networks.build import Networks
from portraiture.export.onnx.write import onnx_op_counts, write_onnx
from portraiture.export.onnx_tf.write import write_onnx_tf
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo
from portraiture.export.tflite.metadata import write_metadata
from portraiture.export.tflite.quantize import quantize
from portraiture.export.tflite.write import tflite_op_counts, write_tflite
from portraiture.export.writing.calibration import tflite_samples
from portraiture.export.writing.packaging import package
from portraiture.export.writing.spec import BundleSpec

Report = Callable[[str], None]


def silent(_: str) -> None:
    """Reports nothing."""


def convert(
    spec: BundleSpec,
    file: ModelFile,
    root: Path,
    float32: dict[tuple[str, Size], Path],
    truth: Truth,
    report: Report = silent,
) -> dict[str, str]:
    """Write one model file; TFLite precisions are made from one float32 conversion, kept in ``float32``.

    Returns:
        The module of the network by the name of a value in the file, where the file's own names do not tell.
    """
    path = root / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    network = truth.networks.get(file.name, LAYOUT[file.target])
    if file.target is Target.COREML:
        return write_coreml(network, file.size, file.precision, path)
    if file.target is Target.ONNX:
        write_onnx(network, file.size, file.precision, path)
        return {}
    key = (file.name, file.size)
    if key not in float32:
        float32[key] = root / f".{file.name}_{file.size}.tflite"
        if spec.route is Route.ONNX_TF:
            write_onnx_tf(file.name, truth, file.size, float32[key], report)
        else:
            write_tflite(network, file.size, float32[key])
    if file.precision is Precision.FP32:
        shutil.copyfile(float32[key], path)
    else:
        static = file.precision is Precision.INT8_STATIC
        samples = tflite_samples(file.name, file.size, spec.calibration, truth) if static else []
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


def write_models(
    spec: BundleSpec, root: Path, report: Report = silent, networks: Networks | None = None
) -> list[dict[str, Any]]:
    """Write all model files and return their manifest entries.

    Args:
        spec: what to write.
        root: the new bundle.
        report: called with lines of progress: each file before it is written, and what its route has to say.
        networks: of the spec's checkpoints; built here where none are given.

    Raises:
        GateError: the doctor refuses a file.
    """
    entries = []
    float32: dict[tuple[str, Size], Path] = {}
    networks = networks or Networks(spec.checkpoints)
    truth = Truth(networks)
    for name, size in dict.fromkeys((f.name, f.size) for f in spec.files()):
        check_gates(networks.get(name), size, truth.feeds(name, size, sample_photo()))
    for file in spec.files():
        report(f"writing {file.path}")
        modules = convert(spec, file, root, float32, truth, report)
        examine(root, file, networks, modules, spec.route)
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
