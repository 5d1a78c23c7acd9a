"""Which of a checkpoint's tensors are a network's, whatever stands before their names.

Teams' files come with what frameworks put around a network: ``module.`` of several processes, ``_orig_mod.`` of a
compiled one, ``model.`` of Lightning, dictionaries such as ``state_dict``, and an average (EMA, SWA) beside the raw
weights. A set is what the same beginning stands before; it is the network's where names and shapes are the same.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""Parts of names that stand for a wrapper, wherever they are."""

COUNTER = "num_batches_tracked"
"""A batch norm's count of training steps, which nothing reads after training."""

_ADDED = re.compile(r"(^|\.)join(16|32)\.")
"""What the coarse estimator has had since it looks twice. Weights from before give the same maps with zeros there."""


def may_lack(name: str) -> bool:
    """Whether a network whose file lacks a tensor is the same network with zeros in its place."""
    return name.endswith(COUNTER) or _ADDED.search(name) is not None


_AVERAGED = re.compile(r"(^|_)(ema|swa|avg|averaged?|shadow|polyak)(_|$)")

_OF_TRAINING = {
    "ema", "averaged", "optim", "optimizer", "optimizers", "optimizer_states", "scheduler", "lr_scheduler",
    "lr_schedulers", "scaler", "grad_scaler", "criterion", "loss", "loss_fn", "step", "global_step", "epoch", "decay",
}  # fmt: skip
"""First parts of names that stand beside a network's and are no part of it."""

_COUNTS = ("n_averaged", "initted")
"""Beside an average, 0 before it has begun: torch's AveragedModel, and ema-pytorch's."""

Shapes = Mapping[str, torch.Size]


@dataclass(frozen=True)
class TensorSet:
    """Tensors whose names have one beginning.

    Attributes:
        prefix: that beginning, "" or with a dot at its end, without wrappers.
        tensors: by the network's names.
        missing: names that the network has and the set lacks.
        unknown: names under the beginning that the network lacks.
        reshaped: names of tensors of another shape.
        averaged: whether the beginning says so.
        empty: whether it is an average that has not begun, which holds a network's first weights.
    """

    prefix: str
    tensors: dict[str, Tensor]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    reshaped: tuple[str, ...]
    averaged: bool
    empty: bool = False

    @property
    def complete(self) -> bool:
        """Whether it is the network's, but for what it may lack."""
        lacks = [name for name in self.missing if not may_lack(name)]
        return not (lacks or self.unknown or self.reshaped or self.empty)


def shapes_of(model: torch.nn.Module) -> dict[str, torch.Size]:
    """The shapes of a network's parameters and buffers, by name."""
    return {name: value.shape for name, value in model.state_dict().items()}


def tensor_sets(own: Shapes, tensors: Mapping[str, Tensor]) -> list[TensorSet]:
    """The sets of a file that hold at least one tensor of the network's names, the fullest first.

    Args:
        own: shapes of the network, by name.
        tensors: of the file, by name.
    """
    plain = _unwrapped(tensors, own)
    empty = _not_begun(tensors)
    groups: dict[str, dict[str, str]] = defaultdict(dict)  # beginning -> the network's name -> the file's
    for name in plain:
        parts = name.split(".")
        for k in range(len(parts)):
            end = ".".join(parts[k:])
            if end in own:
                groups[".".join([*parts[:k], ""])][end] = name
    whole = {p: set(g.values()) for p, g in groups.items() if not _lacking(own, g)}
    found = []
    for prefix, group in groups.items():
        others = set[str]().union(*(names for p, names in whole.items() if p != prefix and p.startswith(prefix)))
        held = {end: tensors[plain[name]] for end, name in group.items()}
        below = [n for n in plain if n.startswith(prefix) and n not in others and n not in set(group.values())]
        found.append(
            TensorSet(
                prefix,
                held,
                missing=tuple(n for n in own if n not in held),
                unknown=tuple(n for n in below if n.removeprefix(prefix).split(".")[0] not in _OF_TRAINING),
                reshaped=tuple(n for n, v in held.items() if v.shape != own[n]),
                averaged=any(_AVERAGED.search(part) for part in prefix.split(".")),
                empty=prefix in empty,
            )
        )
    return sorted(found, key=lambda s: len(s.tensors), reverse=True)


def _lacking(own: Collection[str], group: Collection[str]) -> bool:
    return any(n not in group for n in own if not may_lack(n))


def _not_begun(tensors: Mapping[str, Tensor]) -> set[str]:
    """Beginnings of averages whose count says 0, as :func:`_unwrapped` writes them."""
    found = set()
    for name, value in tensors.items():
        *parents, last = name.split(".")
        if last in _COUNTS and value.numel() == 1 and not value.item():
            start = "".join(f"{p}." for p in parents if p not in (*WRAPPERS, "module"))
            found |= {f"{start}averaged.", f"{start}ema_model."}
    return found


def _unwrapped(tensors: Mapping[str, Tensor], own: Collection[str]) -> dict[str, str]:
    """Names without wrappers -> the file's own names."""
    # torch's AveragedModel: "module." stands before the average, "n_averaged" beside it
    averages = tuple(n.removesuffix("n_averaged") + "module." for n in tensors if n.split(".")[-1] == "n_averaged")
    drops_module = not any("module" in n.split(".") for n in own)
    found: dict[str, str] = {}
    for name in tensors:
        marked = name
        for start in averages:
            if name.startswith(start):
                marked = start.removesuffix("module.") + "averaged." + name.removeprefix(start)
        parts = [p for p in marked.split(".") if p not in WRAPPERS and not (drops_module and p == "module")]
        shorter = ".".join(parts)
        found[shorter if shorter not in found else name] = name
    return {n: original for n, original in found.items() if n.split(".")[-1] not in _COUNTS}
