"""Weight files: safetensors with a JSON entry, no pickles, written whole."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.reference.files import new_file, parse_json


def save_file(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write the tensors into the file at ``path``.

    That of safetensors writes to a name of its own beside ``path``, which a kill would leave there for ever.

    Args:
        tensors: contiguous, on the CPU, none the view of another.
        path: the file; it may exist.
        metadata: text by name.
    """
    path.write_bytes(save(tensors, metadata))


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and one JSON entry; the file appears whole or not at all.

    Args:
        path: file to write; folders above it are made.
        tensors: by name, of any shape, type and device.
        metadata: what JSON can hold; :func:`load_tensors` returns it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    contiguous = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    with new_file(path) as temporary:
        save_file(contiguous, temporary, metadata={"portraiture": json.dumps(metadata, sort_keys=True)})


def save_half(source: Path, path: Path) -> None:
    """Write a weights file again with its floating tensors as float16, the form that is shipped.

    ``fill_model`` fills a float32 model from its tensors.

    Raises:
        InputError: a weight is beyond the range of float16, 65504.
    """
    tensors, metadata = load_tensors(source)
    halved = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    for name, value in halved.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise InputError(
                f"{source}: expected weights within float16 (65504), {name} is beyond; ship {source.name} as it is"
            )
    save_tensors(path, halved, metadata)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and metadata.

    Raises:
        InputError: missing, truncated, not ours, or a tensor holds NaN or infinity.
    """
    if not path.is_file():
        raise InputError(f"weights: expected a .safetensors file, found none at {path}; check the path")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: expected a complete .safetensors file ({error}); copy or train it again") from error
    # float8 has no isfinite of its own
    bad = [k for k, v in tensors.items() if v.is_floating_point() and not torch.isfinite(v.float()).all()]
    if bad:
        raise InputError(f"{path}: expected finite weights, {bad[0]} holds NaN or infinity; train or copy it again")
    return tensors, _entry(path, metadata.get("portraiture", "{}"))


def _entry(path: Path, text: str) -> dict[str, Any]:
    """The JSON entry of a file."""
    try:
        entry = parse_json(text)
    except ValueError as error:
        raise InputError(f"{path}: expected a JSON entry in it ({error}); copy or train it again") from None
    if not isinstance(entry, dict):
        raise InputError(f"{path}: expected a JSON object in it, found {type(entry).__name__}; copy or train it again")
    return entry


def fill_model(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Fill a model from the tensors of a weights file of ours; names and shapes must match exactly.

    ``checkpoints/fill.py`` does it from any file.

    Args:
        model: whose parameters and buffers are filled, in place.
        tensors: by name; those of the optimizer and of the averaged weights are passed over.
        path: the file, for the message.

    Raises:
        InputError: a tensor is missing, unknown or of another shape.
    """
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
