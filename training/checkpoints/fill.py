"""Fill a network from a checkpoint, or say what the checkpoint is."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from portraiture.reference.errors import InputError, OptionError
from portraiture.training.checkpoints.causes import likely_cause
from portraiture.training.checkpoints.match import TensorSet, shapes_of, tensor_sets
from portraiture.training.checkpoints.read import Checkpoint, Which

_NAMED = 5
"""Names on each side that a message lists."""


@dataclass(frozen=True)
class Taken:
    """What of a file a network was filled from.

    Attributes:
        tensors: by the network's names, in its types.
        prefix: what stood before their names.
        averaged: an average over training (EMA or SWA); None where the file has raw ones or does not say.
        both: whether the file holds raw and averaged weights.
        passed_over: what is said of an average that is in the file and was not taken.
    """

    tensors: dict[str, Tensor]
    prefix: str
    averaged: bool | None
    both: bool
    passed_over: str = ""

    def __str__(self) -> str:
        kind = {True: "averaged (EMA) weights", False: "raw weights", None: "weights"}[self.averaged]
        before = f", {self.prefix!r} before each name" if self.prefix else ""
        other = f" (--which {'raw' if self.averaged else 'ema'} takes the others)" if self.both else ""
        return f"{kind}{before}{other}{self.passed_over}"


def take(model: nn.Module, checkpoint: Checkpoint, which: Which | None = None) -> Taken:
    """The tensors of a network in a file; the network stays as it is.

    Args:
        model: on any device, ``meta`` as well.
        checkpoint: of any network.
        which: of a file that holds raw and averaged weights; None takes the averaged ones.

    Raises:
        InputError: no set of the file is the network's, or holds what the network's types cannot.
        OptionError: the weights that are asked for are not there.
    """
    sets = tensor_sets(shapes_of(model), checkpoint.tensors)
    found = [_with_buffers(s, model, [raw for raw in sets if raw.complete and not raw.averaged]) for s in sets]
    complete = [s for s in found if s.complete]
    if not complete:
        raise InputError(_difference(model, checkpoint, found))
    ours = "recipe" in checkpoint.metadata and checkpoint.path.stem != "state"  # what train writes is the average
    averaged = [s for s in complete if s.averaged or ours]
    raw = [s for s in complete if s not in averaged]
    chosen = averaged if (averaged and which is not Which.RAW) or which is Which.EMA else raw
    if not chosen:
        there = "raw" if which is Which.EMA else "averaged"
        raise OptionError(
            f"--which {which.value if which else ''}: expected such weights in {checkpoint.path}, found {there} ones"
            f" alone{_passed_over(found)}; drop it"
        )
    _refuse_several(chosen, checkpoint)
    tensors = _in_types(model.state_dict(), chosen[0], checkpoint)
    passed_over = "" if averaged else _passed_over(found)
    return Taken(
        tensors, chosen[0].prefix, chosen is averaged if averaged else None, bool(averaged and raw), passed_over
    )


def _with_buffers(found: TensorSet, model: nn.Module, raw: list[TensorSet]) -> TensorSet:
    """An average of the parameters alone, with the buffers of the raw weights beside it.

    Args:
        found: any set.
        model: whose buffers count.
        raw: complete sets of raw weights; the buffers are taken of a lone one.
    """
    buffers = {name for name, _ in model.named_buffers()}
    if not found.averaged or not set(found.missing) <= buffers or len(raw) != 1:
        return found
    added = {name: raw[0].tensors[name] for name in found.missing if name in raw[0].tensors}
    return replace(found, tensors={**found.tensors, **added}, missing=tuple(n for n in found.missing if n not in added))


def _passed_over(found: list[TensorSet]) -> str:
    """What is said of averages in the file that are not taken."""
    for s in found:
        if s.empty:
            return f", and an average ({s.prefix}) that has not begun, which is passed over"
        if s.averaged and not s.complete:
            return f", and an average ({s.prefix}) that lacks {len(s.missing)} tensors, which is passed over"
    return ""


def _refuse_several(chosen: list[TensorSet], checkpoint: Checkpoint) -> None:
    """Raise where sets of one kind differ: which of them is meant cannot be known."""
    first = chosen[0]
    for other in chosen[1:]:
        if any(n in other.tensors and not torch.equal(v, other.tensors[n]) for n, v in first.tensors.items()):
            names = " and ".join(repr(s.prefix) for s in (first, other))
            raise InputError(
                f"{checkpoint.path}: expected one set of this network's weights, found others before {names};"
                " save the one that is meant by itself"
            )


def fill(model: nn.Module, checkpoint: Checkpoint, which: Which | None = None) -> Taken:
    """Fill a network from a file, in place, and say from what of it; raises what :func:`take` does.

    Args:
        model: filled in place.
        checkpoint: of any network.
        which: of a file that holds raw and averaged weights; None takes the averaged ones.
    """
    taken = take(model, checkpoint, which)
    model.load_state_dict(taken.tensors)
    return taken


def warm_start(model: nn.Module, checkpoint: Checkpoint, which: Which | None = None) -> list[str]:
    """Fill those tensors of a network that a file has by name and shape; returns the names of the others.

    The coarse estimator also takes the weights of the perception network that holds it, and the other way round.

    Args:
        model: filled in place.
        checkpoint: of any network.
        which: of a file that holds raw and averaged weights; None takes the averaged ones.

    Raises:
        InputError: no tensor fits.
    """
    own = model.state_dict()
    sets = tensor_sets(shapes_of(model), checkpoint.tensors) + _of_the_coarse_part(own, checkpoint)
    sets = [s for s in sets if not s.empty and _fitting(s, own)]
    if not sets:
        raise InputError(
            f"{checkpoint.path}: expected weights like {type(model).__name__}'s, no tensor fits by name and shape;"
            " give a file of this network"
        )
    most = max(len(_fitting(s, own)) for s in sets)
    fullest = [s for s in sets if len(_fitting(s, own)) == most]
    preferred = [s for s in fullest if s.averaged != (which is Which.RAW)] or fullest
    known = {name: _checked(own[name], name, v, checkpoint) for name, v in _fitting(preferred[0], own).items()}
    model.load_state_dict(known, strict=False)
    return [name for name in own if name not in known]


COARSE_PREFIX = "coarse."
"""Begins the names of the coarse estimator's tensors in the perception network."""


def _of_the_coarse_part(own: dict[str, Tensor], checkpoint: Checkpoint) -> list[TensorSet]:
    """The sets of a coarse estimator, under the names that its tensors have in a perception network."""
    part = {n.removeprefix(COARSE_PREFIX): v.shape for n, v in own.items() if n.startswith(COARSE_PREFIX)}
    found = tensor_sets(part, checkpoint.tensors) if part else []
    return [replace(s, tensors={COARSE_PREFIX + n: v for n, v in s.tensors.items()}) for s in found]


def _fitting(found: TensorSet, own: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in found.tensors.items() if value.shape == own[name].shape}


def _in_types(own: dict[str, Tensor], chosen: TensorSet, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The set in the network's types, zeros where it may lack a tensor and does."""
    tensors = {name: torch.zeros(own[name].shape, dtype=own[name].dtype) for name in chosen.missing}
    return tensors | {name: _checked(own[name], name, value, checkpoint) for name, value in chosen.tensors.items()}


def _checked(own: Tensor, name: str, value: Tensor, checkpoint: Checkpoint) -> Tensor:
    """A tensor in the network's type.

    Raises:
        InputError: integers in place of weights, or values that are not finite in that type.
    """
    if own.dtype.is_floating_point and not value.is_floating_point():
        raise InputError(
            f"{checkpoint.path}: expected floating weights, found {value.dtype} in {name};"
            " give the weights from before they were quantized"
        )
    found = value.to(own.dtype)
    if found.is_floating_point() and not torch.isfinite(found).all():
        raise InputError(
            f"{checkpoint.path}: expected finite weights, {name} holds NaN or infinity; train or copy it again"
        )
    return found


def _difference(model: nn.Module, checkpoint: Checkpoint, found: list[TensorSet]) -> str:
    """One line: what is missing and unknown, and why that may be."""
    own: dict[str, Any] = shapes_of(model)
    start = f"{checkpoint.path}: expected the weights of {type(model).__name__}"
    nearest = found[0] if found else None
    missing = nearest.missing if nearest else tuple(own)
    unknown = nearest.unknown if nearest else tuple(checkpoint.tensors)
    sides = [("missing", missing), ("unknown", unknown)]
    if nearest is not None:
        sides.append(("of another shape", nearest.reshaped))
    parts = [f"{len(names)} {what} ({_listed(names)})" for what, names in sides if names]
    said = ", ".join(parts) or "an average that has not begun"
    return f"{start}, found others: {said}; {likely_cause(own, checkpoint.tensors, nearest)}"


def _listed(names: tuple[str, ...]) -> str:
    more = ", ..." if len(names) > _NAMED else ""
    return ", ".join(n if len(n) <= 60 else f"{n[:57]}..." for n in names[:_NAMED]) + more
