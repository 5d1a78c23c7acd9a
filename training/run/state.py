"""The optimizer's state as tensors, for a checkpoint, and the log that goes with one."""

import math
from pathlib import Path

import torch
from torch import Tensor

from portraiture.reference.files import parse_json, write_text


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Optimizer state as ``optimizer.INDEX.KEY`` tensors."""
    state = optimizer.state_dict()["state"]
    return {f"optimizer.{i}.{k}": torch.as_tensor(v) for i, entry in state.items() for k, v in entry.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Inverse of :func:`flatten_optimizer`."""
    own = optimizer.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": own["param_groups"]})


def forget_later_lines(log: Path, step: int) -> None:
    """Drop log lines of validations whose checkpoint was not written: they will be written again.

    A line that is not whole, as a full disk leaves it, is such a line.
    """
    if log.exists():
        kept = [line for line in log.read_text(errors="replace").splitlines() if _step_of(line) <= step]
        write_text(log, "".join(f"{line}\n" for line in kept))


def _step_of(line: str) -> float:
    """The step of a log line; of one that is not whole, later than all."""
    try:
        return int(parse_json(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf
