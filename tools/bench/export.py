"""Time and size of the default bundle (TFLite and Core ML, fp16, one size), and the MIL runtime beside PyTorch."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portraiture.export.bundle.open import open_bundle
from portraiture.export.contract import DEFAULT_SIZE
from portraiture.export.coreml.runner import Engine, engine_here
from portraiture.export.formats import Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.parity.rows import Status
from portraiture.export.runner import Feeds
from portraiture.export.targets import open_file
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.tools.bench.runtime import tflite_inference
from portraiture.tools.bench.timing import interleaved_ms


@dataclass(frozen=True)
class ExportFigures:
    """What ``bench export`` finds.

    Attributes:
        export_s, gate_s: writing the bundle, each file run and compared; the rest of its parity on one photo.
        failed: parity rows that failed.
        megabytes: the whole folder, goldens among it; ``models_megabytes`` the model files alone.
        portrait_ms: median of the TFLite ``portrait``.
        mil_ratio: time of ``perception`` in the MIL runtime as a multiple of PyTorch eager's; None on macOS.
    """

    export_s: float
    gate_s: float
    failed: int
    megabytes: float
    models_megabytes: float
    portrait_ms: float
    mil_ratio: float | None


def _size(path: Path) -> float:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(p.stat().st_size for p in files if p.is_file()) / 1e6


def _mil_ratio(root: Path, file: ModelFile, repeats: int) -> float | None:
    if engine_here() is not Engine.MIL:
        return None
    feeds: Feeds = {"rgb": np.random.default_rng(0).random((DEFAULT_SIZE.height, DEFAULT_SIZE.width, 3), np.float32)}
    runners = [open_file(root, file), Networks().runner(file.name, file.size)]

    def inference(k: int) -> Callable[[], object]:
        return lambda: runners[k].run(feeds)

    mil, eager = interleaved_ms([inference(0), inference(1)], repeats)
    return mil / eager


def bench_export(threads: int, repeats: int, checkpoints: Checkpoints | None = None) -> ExportFigures:
    """Export the default bundle to a temporary folder, gate it, and time its models.

    Args:
        threads: of the TFLite inference.
        repeats: of each inference; medians count.
        checkpoints: weights; None takes the shipped ones.
    """
    with tempfile.TemporaryDirectory() as folder:
        root, spec = Path(folder) / "bundle", BundleSpec(checkpoints=checkpoints or Checkpoints())
        export = export_bundle(spec, root)
        portrait = next(f for f in open_bundle(root).find(Target.TFLITE) if f.name == "portrait")
        perception = next(f for f in open_bundle(root).find(Target.COREML) if f.name == "perception")
        (portrait_ms,) = interleaved_ms([tflite_inference(root / portrait.path, threads)], repeats)
        return ExportFigures(
            export_s=export.write_s,
            gate_s=export.gate_s,
            failed=sum(r.status is Status.FAILED for r in export.rows),
            megabytes=_size(root),
            models_megabytes=sum(_size(root / f.path) for f in spec.files()),
            portrait_ms=portrait_ms,
            mil_ratio=_mil_ratio(root, perception, repeats),
        )
