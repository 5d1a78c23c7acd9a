"""The first layer of the PyTorch network that a file does not reproduce.

Converters fuse, rename and lay out anew, so that a layer is not found by name but by value: the output of each module
is looked for among all values of the file, in either layout, as it is or after the activation that a converter fuses
into it. A value that differs makes all that follows differ, so that the first module, in the order of execution, whose
output the file nowhere holds while it holds what came before is where the file went wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.export import parity
from portraiture.export.contract import Precision
from portraiture.export.diagnose import cause_of, first_stage
from portraiture.export.manifest import ModelFile, model_files, read_manifest
from portraiture.export.networks import Checkpoints, build
from portraiture.export.parity import subject_of
from portraiture.export.runtimes.base import Feeds
from portraiture.export.runtimes.torch_runner import TorchRunner
from portraiture.export.taps import Values, intermediate_values
from portraiture.export.truth import Truth
from portraiture.export.verdict import Link, Row, Status

_INT8_CLOSE = 0.2
CLOSE = {
    Precision.FP32: 1e-3,
    Precision.FP16: 3e-2,
    Precision.INT8: _INT8_CLOSE,
    Precision.INT8_STATIC: _INT8_CLOSE,
    Precision.PALETTIZED: _INT8_CLOSE,
}
"""A value is found where its error is below this share of its root mean square."""
CLOSE_ROUGH = 0.3
"""The same for precisions that store fewer bits."""

_FUSED = (lambda x: x, F.relu6, F.relu, torch.sigmoid)
_FOLDED = (nn.BatchNorm2d,)


@dataclass(frozen=True)
class Layer:
    """A module and how near the file comes to its output.

    Attributes:
        name: in the module tree of the exported network.
        kind: class of the module.
        found: name of the file's nearest value.
        error: its distance as a share of the output's root mean square; infinite where no value has the shape.
    """

    name: str
    kind: str
    found: str
    error: float


def module_outputs(runner: TorchRunner, feeds: Feeds) -> list[tuple[str, str, Tensor]]:
    """Name, kind and output (1, C, H, W) of each leaf module in the order of execution.

    A convolution that a normalisation follows is left out: converters fold the two into one.
    """
    outputs: list[tuple[str, str, Tensor]] = []
    handles = []
    for name, module in runner.network.named_modules():
        if next(module.children(), None) is None:

            def keep(module: nn.Module, _: object, output: Tensor, name: str = name) -> None:
                if isinstance(module, _FOLDED) and outputs:
                    outputs.pop()
                outputs.append((name, type(module).__name__, output.detach()))

            handles.append(module.register_forward_hook(keep))
    try:
        runner.run(feeds)
    finally:
        for handle in handles:
            handle.remove()
    return [o for o in outputs if o[2].ndim == 4]


def _distance(expected: np.ndarray, candidates: Values) -> tuple[float, str]:
    """Root mean squared error of the nearest value of this shape in either layout, and its name."""
    best, best_name = float("inf"), "-"
    channels_last = expected.transpose(0, 2, 3, 1)
    for name, value in candidates:
        for form in (expected, channels_last):
            if value.shape == form.shape:
                error = float(np.sqrt(np.mean((value - form) ** 2)))
                if not np.isfinite(value).all():
                    error = float("inf")
                if error < best or best_name == "-":
                    best, best_name = error, name
    return best, best_name


def layers(values: Values, outputs: list[tuple[str, str, Tensor]]) -> list[Layer]:
    """Each module with the nearest of the file's values."""
    by_count: dict[int, Values] = {}
    for name, value in values:
        by_count.setdefault(value.size, []).append((name, value))
    found = []
    for name, kind, output in outputs:
        candidates = by_count.get(output.numel(), [])
        best, best_name = float("inf"), "-"
        for activation in _FUSED:
            expected = activation(output)
            rms = max(float(expected.square().mean().sqrt()), 1e-6)
            distance, value_name = _distance(expected.float().numpy(), candidates)
            if distance / rms < best or best_name == "-":
                best, best_name = distance / rms, value_name
        found.append(Layer(name, kind, best_name, best))
    return found


def first_diverging(found: list[Layer], close: float) -> Layer | None:
    """The first layer of the longest tail that is lost more than it is found; None where the file holds every layer.

    A layer here and there that a converter computes in another form is no divergence: after it, the file agrees again.
    """
    lost = [layer.error > close for layer in found]
    best, best_score, score = None, 0, 0
    for k in range(len(found) - 1, -1, -1):
        score += 1 if lost[k] else -1
        if lost[k] and score >= best_score and score > 0:
            best, best_score = found[k], score
    return best


def locate(root: Path, file: ModelFile, checkpoints: Checkpoints, feeds: Feeds) -> Layer | None:
    """The first layer that a file does not reproduce, or None.

    Args:
        root: the bundle.
        file: one of its files.
        checkpoints: the weights it was exported from.
        feeds: the contract's inputs.
    """
    runner = TorchRunner(build(file.name, checkpoints), file.size, torch.float64)
    outputs = module_outputs(runner, feeds)
    return first_diverging(
        layers(intermediate_values(root, file, feeds), outputs), CLOSE.get(file.precision, CLOSE_ROUGH)
    )


def explain(root: Path, rows: list[Row], checkpoints: Checkpoints, photos: Sequence[np.ndarray]) -> list[Row]:
    """The same rows; the note of each that failed says why, found with its worst of the photos, HxWx3 uint8.

    Of a file: the cause where one can be proven, else the first layer that diverges. Of a pipeline: the stage.
    """
    files = model_files(read_manifest(root))
    subjects = {subject_of(f): f for f in files}
    pipelines = parity.pipeline_groups(files)
    truth, said = Truth(checkpoints), dict[str, str]()
    failed = {r.subject for r in rows if r.status is Status.FAILED and r.link is Link.FILE}

    def why(row: Row) -> str:
        photo = photos[row.worst or 0]
        subject = row.subject.removesuffix(parity.BY_TENSORFLOW)
        if row.difference is None:
            return ""
        if row.link is Link.FILE and subject in subjects:
            file = subjects[subject]
            feeds = truth.feeds(file.name, file.size, photo)
            return cause_of(root, file, checkpoints, feeds) or sentence(locate(root, file, checkpoints, feeds))
        if row.link is not Link.PIPELINE:
            return ""
        group = pipelines[subject]
        wrong = [f.path for f in group.values() if subject_of(f) + row.subject.removeprefix(subject) in failed]
        if wrong:
            return f"{wrong[0]} fails by itself"
        if "portrait" in group:
            return "its file agrees, the pipeline does not; the first stage that diverges is around the model"
        size = next(iter(group.values())).size
        stage = first_stage(parity.exported_pipeline(root, group, size), truth.pipeline(size), photo)
        return f"its files agree, the pipeline does not; {stage}"

    explained = []
    for row in rows:
        if row.status is Status.FAILED:
            if row.subject not in said:
                said[row.subject] = why(row)
            row = replace(row, note="; ".join(t for t in (row.note, said[row.subject]) if t))
        explained.append(row)
    return explained


def sentence(layer: Layer | None) -> str:
    """For a note in the table."""
    if layer is None:
        return "every layer agrees; the difference is after the last one"
    near = f"nearest is {layer.found}, {layer.error:.1%} off"
    if layer.error == float("inf"):
        near = "no value has its shape" if layer.found == "-" else "it gives NaN or infinity"
    return f"first layer that diverges: {layer.name} ({layer.kind}); {near}"
