"""Times of a bundle's TFLite files on this machine, beside MobileNetV2-1.0 at the same size in the same run."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from portraiture.export.contract import Size
from portraiture.export.quiet import quiet
from portraiture.reference.errors import InputError
from portraiture.tools.bench.timing import interleaved_ms

YARDSTICK = "MobileNetV2-1.0 encoder"


@dataclass(frozen=True)
class RuntimeTime:
    """Median wall time of one inference in milliseconds; ``ratio`` is to the yardstick at the same size."""

    file: str
    size: str
    threads: int
    ms: float
    ratio: float


def tflite_inference(path: Path, threads: int) -> Callable[[], object]:
    """One inference of a file's first subgraph on random inputs in 0..1; copies of tensors are not part of it."""
    from ai_edge_litert.interpreter import Interpreter

    with quiet():
        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for tensor in interpreter.get_input_details():
        interpreter.set_tensor(tensor["index"], rng.random(tensor["shape"], np.float32))
    return interpreter.invoke  # type: ignore[no-any-return]


def write_yardstick(size: Size, path: Path) -> None:
    """Write the encoder of MobileNetV2-1.0 as TFLite in fp16, with random weights, at a size."""
    from portraiture.export.tflite.quantize import quantize_fp16
    from portraiture.export.tflite.write import convert
    from portraiture.training.models.mobilenet import MobileNetV2

    class Yardstick(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = MobileNetV2()

        def forward(self, rgb: torch.Tensor) -> torch.Tensor:
            top: torch.Tensor = self.encoder(rgb.permute(0, 3, 1, 2) * 2 - 1)[-1]
            return top.permute(0, 2, 3, 1)

    full = path.with_suffix(".full")
    convert(Yardstick().eval(), [torch.rand(1, size.height, size.width, 3)], "encoder", full)
    quantize_fp16(full, path)


def bench_runtime(bundle: Path, threads: int, repeats: int) -> list[RuntimeTime]:
    """Times of every TFLite file of a bundle, beside the yardstick of each size.

    Args:
        bundle: folder of a bundle.
        threads: of each inference, 1 or more.
        repeats: runs of each, 1 or more; medians count.

    Raises:
        InputError: the bundle holds no TFLite file.
    """
    from portraiture.export.bundle.manifest import read_manifest

    models = [m for m in read_manifest(bundle)["models"] if m["target"] == "tflite" and not m.get("entry")]
    if not models:
        raise InputError(f"{bundle}: expected single TFLite files to time, found none; export with --target tflite")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for text in sorted({str(m["size"]) for m in models}):
            yardstick = Path(folder) / f"{text}.tflite"
            write_yardstick(Size.parse(text), yardstick)
            names = [str(m["path"]) for m in models if m["size"] == text]
            files = [yardstick, *(bundle / name for name in names)]
            ms = interleaved_ms([tflite_inference(f, threads) for f in files], repeats)
            for name, value in zip([YARDSTICK, *names], ms, strict=True):
                found.append(RuntimeTime(name, text, threads, value, value / ms[0]))
    return found
