"""What each file of a bundle costs on this machine: time beside MobileNetV2-1.0 in the same run, and memory."""

import importlib
import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from portraiture.export.bundle.open import open_bundle
from portraiture.export.contract import Size, model_contract
from portraiture.export.formats import Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import example_inputs
from portraiture.export.parity.subjects import engine_note, subject_of
from portraiture.export.runner import Feeds, file_threads, from_layout
from portraiture.export.targets import open_file
from portraiture.reference.errors import PortraitureError
from portraiture.tools.bench.memory import forget_peak, peak_kib
from portraiture.tools.bench.runtime import tflite_inference, write_yardstick
from portraiture.tools.bench.timing import interleaved_ms
from portraiture.tools.progress import steps

ENGINES = {Target.TFLITE: "ai_edge_litert.interpreter", Target.ONNX: "onnxruntime"}
"""What runs a format's files here; it is loaded before memory is counted."""


@dataclass(frozen=True)
class FileCost:
    """What a file costs.

    Attributes:
        subject: model, format, precision and size, in words.
        path: relative to the bundle.
        ms: median wall time of a run; None where nothing that a phone has runs it here.
        ratio: to the encoder of MobileNetV2-1.0 as TFLite fp16, at the same size in the same run.
        peak_mb: most memory beside the runtime itself while the file is opened and run once, 10^6 bytes.
        note: why there is no figure.
    """

    subject: str
    path: str
    ms: float | None
    ratio: float | None
    peak_mb: float | None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def random_feeds(name: str, size: Size) -> Feeds:
    """Inputs of a model within the contract's ranges, the same at every call."""
    examples = example_inputs(name, "NCHW", size)
    specs = {spec.name: spec for spec in model_contract(name).inputs}
    return {n: from_layout(specs[n], x.numpy(), "NCHW") if x.dim() > 1 else float(x) for n, x in examples.items()}


def _peak_mb(root: Path, file: ModelFile) -> float:
    """In a process of its own."""
    feeds = random_feeds(file.name, file.size)
    importlib.import_module(ENGINES[file.target])
    forget_peak()
    before = peak_kib()
    open_file(root, file).run(feeds)
    return (peak_kib() - before) * 1024 / 1e6


def file_costs(
    root: Path, files: Sequence[ModelFile], threads: int, repeats: int, report: Callable[[str, int, int], None]
) -> list[FileCost]:
    """The cost of each file.

    Args:
        root: the bundle, proven.
        files: its models.
        threads: of the yardstick; files run by as many as they do elsewhere.
        repeats: runs of each, 1 or more; medians count.
        report: called before each step: what runs now, how many are done, and of how many.
    """
    found: dict[ModelFile, FileCost] = {}
    able = [f for f in files if f.target in ENGINES]
    for file in files:
        if file.target not in ENGINES:
            found[file] = FileCost(str(subject_of(file)), file.path, None, None, None, engine_note(file) or "not run")
    sizes = sorted({f.size for f in able})
    with tempfile.TemporaryDirectory(prefix="portraiture.") as folder:
        for k, size in enumerate(sizes):
            report(f"times at {size}", k, len(sizes) + len(able))
            own = [f for f in able if f.size == size]
            found |= _timed(root, own, Path(folder), threads, repeats)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for k, file in enumerate(able):
            report(f"memory of {subject_of(file)}", len(sizes) + k, len(sizes) + len(able))
            cost = found[file]
            if cost.ms is not None:
                peak = pool.apply(_peak_mb, (root, file))
                found[file] = FileCost(cost.subject, cost.path, cost.ms, cost.ratio, peak)
    return [found[file] for file in files]


def measured_costs(root: Path, repeats: int = 9) -> list[dict[str, Any]]:
    """The cost of each file of a bundle as plain values, with a bar."""
    with steps("measuring") as report:
        costs = file_costs(root, open_bundle(root).files, file_threads(), repeats, report)
    return [cost.to_json() for cost in costs]


def _timed(
    root: Path, files: Sequence[ModelFile], folder: Path, threads: int, repeats: int
) -> dict[ModelFile, FileCost]:
    """Times of the files of one size, in turns with the yardstick."""
    yardstick, size = folder / f"{files[0].size}.tflite", files[0].size
    write_yardstick(size, yardstick)
    runs: dict[ModelFile, Callable[[], object]] = {}
    failed: dict[ModelFile, FileCost] = {}
    for file in files:
        try:
            runs[file] = partial(open_file(root, file).run, random_feeds(file.name, size))
        except PortraitureError as error:
            failed[file] = FileCost(str(subject_of(file)), file.path, None, None, None, str(error))
    first, *ms = interleaved_ms([tflite_inference(yardstick, threads), *runs.values()], repeats)
    costs = {f: FileCost(str(subject_of(f)), f.path, t, t / first, None) for f, t in zip(runs, ms, strict=True)}
    return costs | failed
