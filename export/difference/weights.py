"""How far the weights of two files are from each other, layer by layer."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.export.bundle.findings import Finding, Section, Verdict
from portraiture.export.difference.pairs import Pair
from portraiture.export.model_file import ModelFile, Weights
from portraiture.export.targets import FORMATS
from portraiture.reference.errors import InputError, PortraitureError


@dataclass(frozen=True)
class LayerChange:
    """How far a layer's weights are from what they were.

    Attributes:
        name: of the constant; where the two releases name it differently, the new name.
        shape: of it.
        largest: absolute difference; None where only one file has such a layer.
        relative_rms: root mean square of the difference, as a share of that of the old weights; infinite where those
            are all 0 or not finite.
        only: ``old`` or ``new`` where only one file has such a layer; else empty.
    """

    name: str
    shape: tuple[int, ...]
    largest: float | None = None
    relative_rms: float | None = None
    only: str = ""

    @property
    def differs(self) -> bool:
        """Whether the two files hold other weights."""
        return self.largest != 0  # None of a layer that one file alone has

    def to_json(self) -> dict[str, Any]:
        """Plain values; JSON has no infinity."""
        return {k: str(v) if isinstance(v, float) and not np.isfinite(v) else v for k, v in asdict(self).items()}


def _change(name: str, old: np.ndarray, new: np.ndarray) -> LayerChange:
    if not (np.isfinite(old).all() and np.isfinite(new).all()):
        far = 0.0 if np.array_equal(old, new, equal_nan=True) else float("inf")
        return LayerChange(name, new.shape, far, far)
    error, size = new - old, float(np.sqrt(np.mean(old**2)))
    rms = float(np.sqrt(np.mean(error**2)))
    return LayerChange(name, new.shape, float(np.abs(error).max()), rms / size if size else (np.inf if rms else 0.0))


def layer_changes(old: Weights, new: Weights) -> list[LayerChange]:
    """Every layer of two files: those of one name and shape belong together, the others in order, shape by shape.

    Names change where a release renames its modules, so that a new name alone is no new layer.

    Args:
        old, new: names and numbers, in the order in which the files compute with them.
    """
    before = {(name, value.shape): value for name, value in old}
    named = {(name, value.shape) for name, value in new} & before.keys()
    left: dict[tuple[int, ...], list[tuple[str, np.ndarray]]] = {}
    for name, value in old:
        if (name, value.shape) not in named:
            left.setdefault(value.shape, []).append((name, value))
    found = []
    for name, value in new:
        if (name, value.shape) in named:
            found.append(_change(name, before[name, value.shape], value))
        elif left.get(value.shape):
            found.append(_change(name, left[value.shape].pop(0)[1], value))
        else:
            found.append(LayerChange(name, value.shape, only="new"))
    return [*found, *(LayerChange(name, value.shape, only="old") for rest in left.values() for name, value in rest)]


def worst_first(changes: Iterable[LayerChange]) -> list[LayerChange]:
    """The layers that differ, the farthest first; those that only one file has before them."""
    differ = [c for c in changes if c.differs]
    return sorted(differ, key=lambda c: (not c.only, -(c.relative_rms or 0.0)))


def _weights_of(root: Path, file: ModelFile) -> Weights:
    """The weights of a bundle's file; raises InputError where it is damaged."""
    try:
        return FORMATS[file.target].weights(root / file.path, file)
    except PortraitureError:
        raise
    except Exception as error:  # what parses flatbuffers and protobuf has no common base of errors
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{root / file.path}: expected a model ({reason}); export the bundle again") from error


def weight_finding(pair: Pair) -> tuple[Finding, list[LayerChange]]:
    """How many layers differ and which most, and every layer; none is listed of files of the same bytes."""
    if pair.is_same:
        return Finding(Section.WEIGHTS, pair.name, "constants", Verdict.SAME, note="same bytes"), []
    if pair.old.known is None or pair.new.known is None:
        why = "this release does not know the model"
        return Finding(Section.WEIGHTS, pair.name, "constants", Verdict.NOT_COMPARED, note=why), []
    try:
        old, new = (_weights_of(*side) for side in pair.sides())
    except PortraitureError as error:
        return Finding(Section.WEIGHTS, pair.name, "constants", Verdict.NOT_COMPARED, note=str(error)), []
    changes = layer_changes(old, new)
    verdict, note = _said(changes)
    return Finding(Section.WEIGHTS, pair.name, "constants", verdict, note=note), changes


def _said(changes: Sequence[LayerChange]) -> tuple[Verdict, str]:
    """Verdict and note."""
    differ = worst_first(changes)
    if not differ:
        return Verdict.SAME, f"all {len(changes)} constants are equal"
    only = [c for c in differ if c.only]
    note = f"{len(differ)} of {len(changes)} constants differ"
    if only:
        note += f", {len(only)} of them in one file alone"
    far = next((c for c in differ if not c.only), None)
    if far is not None:
        note += f"; most {far.name}: relative RMS {far.relative_rms:.3g}, largest {far.largest:.3g}"
    return Verdict.DIFFERS, note
