"""A checkpoint's file -> tensors by name. No code in a file is ever run."""

import pickle
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PosixPath, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from portraiture.reference.errors import InputError
from portraiture.training.tensor_files import load_tensors

SAFETENSORS = ".safetensors"

PICKLES = (".pth", ".pt", ".ckpt", ".bin")
"""Endings of what ``torch.save`` writes."""

STATE, WEIGHTS, BEST = "state.safetensors", "weights.safetensors", "best.safetensors"
"""Files of a run folder: raw and averaged weights with the optimizer; the average; the average that was best."""

_TARS = (".pth.tar", ".pt.tar")
"""Endings of the same files by an older habit."""

_DEEPEST = 8
"""Dictionaries within dictionaries are followed so far."""

_WAY = (
    'python -c "import torch; c = torch.load({file!r}, weights_only=False);'
    " c = c.get('state_dict', c.get('model', c)) if isinstance(c, dict) else c;"
    " c = c if isinstance(c, dict) else c.state_dict();"
    ' torch.save({{k: v for k, v in c.items() if torch.is_tensor(v)}}, {target!r})"'
)


class Which(Enum):
    """Which weights of a file that holds both."""

    EMA = "ema"
    RAW = "raw"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Attributes:
        path: the file.
        tensors: by name; names of dictionaries within dictionaries are joined by dots.
        metadata: our own entry, empty in files of others.
    """

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, Any] = field(default_factory=dict)


def is_run(path: Path) -> bool:
    """Whether a path is a folder that ``portraiture train`` wrote."""
    return path.is_dir() and any((path / name).is_file() for name in (STATE, WEIGHTS, BEST))


def weights_file(path: Path, which: Which | None = None) -> Path:
    """The file to read of a run folder; another path is given back as it is.

    Args:
        path: a file, or the folder of a run: of it ``best.safetensors``, where ``train --watch`` kept one, else
            ``weights.safetensors``, both averaged.
        which: the raw weights of a run are in ``state.safetensors``.

    Raises:
        InputError: a folder that is no run's, or lacks that file.
    """
    if not path.is_dir():
        return path
    names = (STATE,) if which is Which.RAW else (BEST, WEIGHTS)
    found = [path / name for name in names if (path / name).is_file()]
    if not found:
        raise InputError(
            f"{path}: expected the folder of a run, with {' or '.join(names)}, found none;"
            " name a folder that portraiture train wrote, or a checkpoint file"
        )
    return found[0]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a file of ``.safetensors``, ``.pth``, ``.pt``, ``.ckpt`` or ``.bin``.

    Args:
        path: the file. Of those that ``torch.save`` wrote, tensors are read, never code.

    Raises:
        InputError: missing, damaged, of another kind, or holding code in place of tensors alone.
    """
    if path.suffix.lower() not in (SAFETENSORS, *PICKLES) and not path.name.lower().endswith(_TARS):
        raise InputError(
            f"{path}: expected a checkpoint ({SAFETENSORS}, {', '.join(PICKLES)}) or a run folder, found"
            f" {path.suffix or 'no ending'}; give the weights as PyTorch saved them"
        )
    _refuse_pointer(path)
    if path.suffix.lower() == SAFETENSORS:
        tensors, metadata = load_tensors(path)
        beside = path.parent / WEIGHTS
        if path.name == STATE and beside.is_file():  # a run's state does not name its network, its weights do
            metadata = load_tensors(beside)[1]
        return Checkpoint(path, tensors, metadata)
    tensors = dict(_flat(_unpickled(path)))
    if not tensors:
        raise InputError(f"{path}: expected tensors by name, found none; save the model's state_dict()")
    return Checkpoint(path, tensors)


def _refuse_pointer(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(40)
    except OSError:
        raise InputError(f"{path}: expected a checkpoint file, found none; check the path") from None
    if head.startswith(b"version https://git-lfs"):
        raise InputError(f"{path}: expected weights, found a Git LFS pointer; fetch the file with git lfs pull")


def _unpickled(path: Path) -> Any:
    """What ``torch.save`` wrote, as tensors, numbers, texts and containers of them."""
    from argparse import Namespace

    import numpy as np

    # NumPy's numbers and arrays stand for figures and for states of generators, a Namespace for options, paths and
    # containers for what they are: none of them can run anything
    core = np._core.multiarray  # type: ignore[attr-defined]
    harmless: list[Any] = [core.scalar, core._reconstruct, np.ndarray, np.dtype, Namespace, dict, list,
                           PosixPath, PurePosixPath, *(type(np.dtype(c)) for c in "?bhilqBHILQefd")]  # fmt: skip
    harmless += [(getattr(core, n), f"numpy.core.multiarray.{n}") for n in ("scalar", "_reconstruct")]  # of NumPy 1
    try:
        with torch.serialization.safe_globals(harmless):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        code = re.search(r"GLOBAL ([\w.]+)", str(error))
        if code is None:
            raise InputError(
                f"{path}: expected a complete checkpoint of torch.save, found a damaged file or one of another kind,"
                " such as pickle's own; copy or save it again"
            ) from error
        raise InputError(
            f"{path}: expected tensors alone, found code ({code[1]}), which is never run here;"
            f" where you trust the file, write its tensors first: "
            + _WAY.format(file=path.name, target=f"{path.name.split('.')[0]}_weights.pth")
        ) from error
    except Exception as error:  # a damaged file raises what it likes
        if "TorchScript" in str(error):
            raise InputError(
                f"{path}: expected a checkpoint, found a TorchScript program; save the model's state_dict() instead"
            ) from error
        raise InputError(
            f"{path}: expected a complete checkpoint of torch.save, found a damaged file or one of another kind;"
            " copy or save it again"
        ) from error


def _flat(value: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """Tensors with the names that lead to them."""
    if isinstance(value, Tensor):
        if value.layout is torch.strided and not value.is_quantized and value.device.type == "cpu":
            yield prefix, value.detach()
    elif isinstance(value, Mapping) and depth < _DEEPEST:
        for key, inner in value.items():
            if isinstance(key, str):  # an optimizer's state is by number
                yield from _flat(inner, f"{prefix}.{key}" if prefix else key, depth + 1)
