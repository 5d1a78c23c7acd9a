"""Why a file fails the gate, in words: a short list of mistakes, each proven before it is named.

The float64 network runs as if it had the mistake. If the file then agrees within the file's tolerance, on every output,
that mistake is the cause. Weights are compared before (``weights``): a wrong weight is no mistake of the computation.
Where a pipeline fails whose files pass, ``stages`` compares the two pipelines stage by stage.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from portraiture.export.compare import compare
from portraiture.export.contract import Kind
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported
from portraiture.export.pipeline.memory import Memory
from portraiture.export.runner import Feeds, from_layout, to_layout
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import file_tolerance, use_tolerance

Arrays = dict[str, np.ndarray]

Change = Callable[[np.ndarray], np.ndarray]


class _Interpolate(TorchFunctionMode):
    """Changes the settings of every ``F.interpolate`` that runs in this context."""

    def __init__(self, **changed: Any) -> None:
        super().__init__()
        self.changed = changed

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        changed = self.changed if func is F.interpolate else {}
        return func(*args, **{**(kwargs or {}), **changed})


def _same(x: np.ndarray) -> np.ndarray:
    return x


@dataclass(frozen=True)
class Mistake:
    """What a file may do differently from the network.

    Attributes:
        cause: in words.
        rgb: changes the photo, HxWx3, before the network sees it.
        maps: changes every other input that is a map, HxW, before the network sees it.
        out: changes every output after the network ran.
        outputs: changes the outputs by name, after ``out``.
        during: makes the context in which the network runs.
    """

    cause: str
    rgb: Change = _same
    maps: Change = _same
    out: Change = _same
    outputs: Callable[[Arrays], Arrays] = lambda found: found
    during: Callable[[], AbstractContextManager[Any]] = nullcontext


def _swap_channels(x: np.ndarray) -> np.ndarray:
    return x[..., ::-1] if x.ndim == 3 else x


def _rotate_names(found: Arrays) -> Arrays:
    """The maps among the outputs, under each other's names."""
    names = [n for n, v in found.items() if v.ndim == 2]
    return {**found, **{n: found[m] for n, m in zip(names, names[1:] + names[:1], strict=True)}}


def mistakes() -> Iterator[Mistake]:
    """The mistakes that are tried, the commonest first."""
    yield Mistake("the file reads the channels as B G R", rgb=_swap_channels)
    yield Mistake("the file gives the channels as B G R", out=_swap_channels)
    yield Mistake("the file reads and gives the channels as B G R", rgb=_swap_channels, out=_swap_channels)
    yield Mistake("the file takes rgb in 0..255: the scale 1/255 is missing", rgb=lambda x: x * 255)
    yield Mistake("the file divides rgb by 255 once too often", rgb=lambda x: x / 255)
    yield Mistake("the file takes rgb in -1..1", rgb=lambda x: x * 2 - 1)
    yield Mistake("the file divides rgb by 256, not by 255", rgb=lambda x: x * (255 / 256))
    yield Mistake("the file divides rgb by 254, not by 255", rgb=lambda x: x * (255 / 254))
    spatial: tuple[tuple[str, Change], ...] = (
        ("height and width are exchanged", lambda x: x.swapaxes(0, 1)),
        ("rows are upside down", lambda x: x[::-1]),
        ("columns are mirrored", lambda x: x[:, ::-1]),
    )
    for words, change in spatial:
        yield Mistake(f"{words} in the file's inputs and outputs", change, change, change)
        yield Mistake(f"{words} in the file's inputs", change, change)
        yield Mistake(f"{words} in the file's outputs", out=change)
    yield Mistake("two outputs carry each other's name", outputs=_rotate_names)
    yield Mistake("an output is turned round: 1 - x", out=lambda x: 1 - x)
    yield Mistake("resize rule inside the network: corners are aligned, not half-pixel centres",
                  during=lambda: _Interpolate(align_corners=True))  # fmt: skip
    yield Mistake("resize rule inside the network: nearest, not bilinear",
                  during=lambda: _Interpolate(mode="nearest", align_corners=None))  # fmt: skip


_RUNS: WeakKeyDictionary[Exported, Memory] = WeakKeyDictionary()
"""What each network gave: files of one model fail together, and mistakes of outputs alone share the network's run."""


def run_mistaken(network: Exported, file: ModelFile, feeds: Feeds, mistake: Mistake) -> Arrays:
    """What the network gives if it has a mistake.

    Args:
        network: float64, built for layout NCHW.
        file: of whose size the inputs are.
        feeds: the contract's inputs: images HxWx3 and maps HxW in 0..1, scalars.
        mistake: what it does differently.
    """
    inputs = []
    for spec in network.contract.inputs:
        value = feeds[spec.name]
        if isinstance(value, np.ndarray):
            value = (mistake.rgb if spec.kind is Kind.IMAGE else mistake.maps)(value)
        inputs.append(torch.from_numpy(to_layout(spec, value, file.size, "NCHW")).double())

    def run() -> Arrays:
        with mistake.during(), torch.no_grad():
            outputs = network(*inputs)
        return {s.name: from_layout(s, outputs[s.name].numpy(), "NCHW") for s in network.contract.outputs}

    fed = hashlib.sha256(b"".join(x.numpy().tobytes() for x in inputs)).digest()
    inside = "" if mistake.during is nullcontext else mistake.cause
    found = _RUNS.setdefault(network, Memory(1 << 28)).remember((file.size, fed, inside), run)
    return mistake.outputs({name: mistake.out(value) for name, value in found.items()})


NONE = Mistake("none")


def agree(file: ModelFile, found: Arrays, expected: Arrays) -> bool:
    """Whether every output of a file is within its tolerance, or within what is of use; overlap is not asked for.

    A network that has the file's mistake may round more than the sound one, of which the tolerance was measured.

    Args:
        file: which file.
        found, expected: outputs by name.
    """

    def passes(name: str, tolerance: Callable[..., Tolerance]) -> bool:
        own = tolerance(file.name, file.target, file.precision, name, budget_db=file.budget_db)
        gate = replace(own, min_iou=None)
        return found[name].shape == expected[name].shape and gate.passes(compare(found[name], expected[name]))

    return all(passes(name, file_tolerance) or passes(name, use_tolerance) for name in found)


NEARER_DB = 10.0
"""By this much an explanation must bring the outputs nearer; one that changes nothing explains nothing."""


def squared_error(found: Arrays, expected: Arrays) -> float:
    """The mean squared error of every output, added up."""
    return sum(float(np.mean((value - expected[name]) ** 2)) for name, value in found.items())


def nearer(found: Arrays, explained: Arrays, sound: Arrays) -> bool:
    """Whether a network with a mistake is far nearer to the outputs than the sound one, over all of them.

    Args:
        found: the file's outputs by name.
        explained: what the network with the mistake gives.
        sound: what the network gives.
    """
    return squared_error(found, explained) < squared_error(found, sound) / 10 ** (NEARER_DB / 10)


def mistake_of(file: ModelFile, found: Arrays, network: Exported, feeds: Feeds) -> Mistake | None:
    """The mistake with which the network agrees with a file on every output; None where no mistake of the list does so.

    Args:
        file: which file.
        found: what it gives, by output.
        network: float64, built for layout NCHW.
        feeds: the contract's inputs: images HxWx3 and maps HxW in 0..1, scalars.
    """
    sound = run_mistaken(network, file, feeds, NONE)

    def agrees(expected: Arrays) -> bool:
        return agree(file, found, expected) and nearer(found, expected, sound)

    square = file.size.height == file.size.width
    for mistake in mistakes():
        if "exchanged" in mistake.cause and not square:
            continue  # such a file declares other shapes, and is refused for them
        if agrees(run_mistaken(network, file, feeds, mistake)):
            return mistake
    return None
