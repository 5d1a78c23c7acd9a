"""The two routes to TFLite against PyTorch and against each other."""

import time
from dataclasses import dataclass
from pathlib import Path

from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds
from portraiture.export.sample_photo import sample_photo
from portraiture.export.tflite.runner import TfliteRunner
from portraiture.export.tolerances import use_tolerance
from portraiture.reference.errors import GateError


@dataclass(frozen=True)
class Compared:
    """A file of this route beside others, on one photo.

    Attributes:
        to_torch, to_litert: largest error against float64 and against the default route's file.
        ms, litert_ms: best of five runs.
    """

    to_torch: float
    to_litert: float
    ms: float
    litert_ms: float


def _timed(runner: TfliteRunner, feeds: Feeds) -> float:
    """Best of five runs, milliseconds."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        runner.run(feeds)
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def compare_routes(path: Path, litert: Path, name: str, size: Size, truth: Truth) -> Compared:
    """Run a float32 file of this route, PyTorch float64 and the default route's file on one photo.

    Args:
        path: the file of this route.
        litert: the default route's file of the same model and size.
        name: of the model.
        size: of its inputs, height and width in pixels.
        truth: of the networks that were exported.

    Raises:
        GateError: it differs from one of them by more than the gate's tolerance.
    """
    feeds = truth.feeds(name, size, sample_photo())
    ours, default = TfliteRunner(path, name, size), TfliteRunner(litert, name, size)
    found = ours.run(feeds)
    largest: list[float] = []
    for what, expected in (("PyTorch float64", truth.outputs(name, size, feeds)), ("litert", default.run(feeds))):
        differences = {output: compare(value, expected[output]) for output, value in found.items()}
        for output, difference in differences.items():
            tolerance = use_tolerance(name, Target.TFLITE, Precision.FP32, output)
            if not tolerance.passes(difference):
                raise GateError(f"{name} {size}: onnx-tf against {what}: expected {tolerance}, found"
                                f" {difference.max_abs:.1e} in {output}; use --route litert")  # fmt: skip
        largest.append(max(d.max_abs for d in differences.values()))
    to_torch, to_litert = largest
    return Compared(to_torch, to_litert, _timed(ours, feeds), _timed(default, feeds))
