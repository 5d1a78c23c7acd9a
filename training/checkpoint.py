"""What a run writes: weights and state as safetensors (no pickles), its log, and scalars for TensorBoard.

Files are written to a temporary name, then renamed.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from portraiture.reference.errors import InputError, OptionError

Scalars = Callable[[int, str, dict[str, float]], None]
"""Takes a step, a group, and figures by name."""


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and a JSON metadata entry atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    contiguous = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    save_file(contiguous, temporary, metadata={"portraiture": json.dumps(metadata, sort_keys=True)})
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(temporary, path)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and metadata.

    Raises:
        InputError: missing, truncated, not ours, or a tensor holds NaN or infinity.
    """
    if not path.is_file():
        raise InputError(f"weights: expected a .safetensors file, found none at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: expected a complete .safetensors file ({error}); copy or train it again") from error
    bad = [k for k, v in tensors.items() if v.is_floating_point() and not torch.isfinite(v).all()]
    if bad:
        raise InputError(f"{path}: expected finite weights, {bad[0]} holds NaN or infinity; train or copy it again")
    return tensors, json.loads(metadata.get("portraiture", "{}"))


def load_model(model: nn.Module, path: Path) -> dict[str, Any]:
    """Fill a model from a weights file and return the file's metadata; names and shapes must match exactly."""
    tensors, metadata = load_tensors(path)
    own = model.state_dict()
    weights = {k: v for k, v in tensors.items() if not k.startswith(("ema.", "optimizer."))}
    unshared = own.keys() ^ weights.keys()
    reshaped = {k for k in own.keys() & weights.keys() if own[k].shape != weights[k].shape}
    wrong = sorted(unshared | reshaped)
    if wrong:
        raise InputError(
            f"{path}: expected the weights of {type(model).__name__}, {len(wrong)} tensors differ (first: {wrong[0]});"
            " give the checkpoint of this model"
        )
    model.load_state_dict(weights)
    return metadata


def warm_start(model: nn.Module, path: Path) -> list[str]:
    """Fill those tensors of a model that a weights file has by name and shape; returns the names of the others."""
    tensors, _ = load_tensors(path)
    own = model.state_dict()
    known = {k: tensors[k] for k, v in own.items() if k in tensors and tensors[k].shape == v.shape}
    if not known:
        raise InputError(f"{path}: expected weights like {type(model).__name__}'s, no tensor fits by name and shape")
    model.load_state_dict(known, strict=False)
    return [k for k in own if k not in known]


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
    """Drop log lines of validations whose checkpoint was not written: they will be written again."""
    if log.exists():
        kept = [line for line in log.read_text().splitlines() if json.loads(line)["step"] <= step]
        temporary = log.with_suffix(".tmp")
        temporary.write_text("".join(f"{line}\n" for line in kept))
        temporary.replace(log)


def summary_writer() -> Any:
    """TensorBoard's ``SummaryWriter`` class.

    Raises:
        OptionError: the ``tensorboard`` package is missing or too old.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise OptionError(
            f"--tensorboard: expected the tensorboard package ({error}); pip install portraiture[tensorboard]"
        ) from error
    return SummaryWriter


@contextmanager
def scalar_files(folder: Path | None, step: int) -> Iterator[Scalars]:
    """Within, scalars go to TensorBoard's files in a folder, or nowhere without one.

    Args:
        step: steps done so far; scalars of later ones, from before a resume, are dropped.
    """
    if folder is None:
        yield lambda at, group, figures: None
        return
    writer = summary_writer()(str(folder), purge_step=step + 1)

    def write(at: int, group: str, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            writer.add_scalar(f"{group}/{name}", value, at)

    try:
        yield write
    finally:
        writer.close()
