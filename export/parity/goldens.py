"""A bundle's goldens: what they must be, and the rows that say whether they are."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from portraiture.export.bundle.checksums import sha256
from portraiture.export.bundle.goldens import (
    U8,
    U16,
    arrays_of,
    folders_of,
    inputs_of,
    outputs_of,
    read_golden,
    read_index,
)
from portraiture.export.bundle.open import Bundle
from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Networks
from portraiture.export.networks.wrappers import SPN_TASKS
from portraiture.export.parity.rows import Link, Row, judge
from portraiture.export.pipeline.resize import to_model_size
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds
from portraiture.export.sample_photo import sample_photo
from portraiture.export.tolerances import GOLDEN, GOLDEN_INPUT
from portraiture.reference.errors import InputError
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER


def check_golden_truth(bundle: Bundle, networks: Networks) -> None:
    """Refuse weights that the bundle was not exported from: its files would be held against other networks.

    Raises:
        InputError: the bundle was exported from other weights.
    """
    recorded, checkpoints, own = bundle.manifest["weights"], networks.checkpoints, networks.own_digest()
    for name, path in (("perception", checkpoints.perception), ("filter", checkpoints.filter)):
        if not path.is_file():
            raise InputError(f"{path}: expected {name} weights (.safetensors), found no file;"
                             " give the checkpoint that was exported")  # fmt: skip
        if own is not None and name == "perception":
            if own != recorded.get(name):
                raise InputError(f"{bundle.root}: exported from another network or other weights than --network"
                                 f" {checkpoints.own} gives now; give parity the network that was exported, the same"
                                 " weights at every call")  # fmt: skip
        elif sha256(path) != recorded.get(name):
            raise InputError(f"{bundle.root}: exported from other {name} weights than {path};"
                             " give parity the checkpoint that was exported")  # fmt: skip


def _u16(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 1) * U16), np.uint16)


def golden_inputs(truth: Truth, size: Size, photo: np.ndarray, models: Sequence[str]) -> dict[str, np.ndarray]:
    """Inputs of models as integers.

    Args:
        truth: of the networks that are exported.
        size: of the models, height and width in pixels.
        photo: HxWx3 uint8.
        models: their names; perception and filter are always among them.

    Returns:
        Arrays by name: rgb hxwx3 uint8, maps hxw uint16.
    """
    rgb = to_model_size(photo, size)
    maps = truth.outputs("perception", size, {"rgb": rgb / U8})
    inputs = {"rgb": rgb, "filter_mask": _u16(maps["mask"]), "filter_depth": _u16(maps["depth"])}
    if set(models) & set(SPN_TASKS):
        coarse = truth.outputs("coarse", size, {"rgb": rgb / U8})
        inputs |= {array: _u16(coarse[name.removeprefix("coarse_")]) for model in set(models) & set(SPN_TASKS)
                   for name, array in inputs_of(model).items() if array != "rgb"}  # fmt: skip
    return inputs


def golden_outputs(
    truth: Truth, size: Size, inputs: Mapping[str, np.ndarray], models: Sequence[str]
) -> dict[str, np.ndarray]:
    """What the networks give for golden inputs, by the name of the array.

    Args:
        truth: of the networks that are exported.
        size: of the models, height and width in pixels.
        inputs: arrays by name, as integers.
        models: their names; perception and filter are always among them.

    Returns:
        hxw or hxwx3 float64 in 0..1.
    """
    found: dict[str, np.ndarray] = {}
    for model in dict.fromkeys(("perception", "filter", *models)):
        feeds: Feeds = {
            name: inputs[array] / (U8 if array == "rgb" else U16) for name, array in inputs_of(model).items()
        }
        if model in ("filter", "portrait"):
            feeds |= {"aperture": APERTURE_PAPER, "focus": FOCUS_ON_PERSON}
        outputs = {} if model == "portrait" else truth.outputs(model, size, feeds)  # its outputs have their names
        found |= {outputs_of(model)[name]: value for name, value in outputs.items()}
    return found


def golden_rows(root: Path, files: Sequence[ModelFile], truth: Truth) -> Iterator[Row]:
    """The bundle's goldens: its inputs are the sample photo's, its outputs the float64 networks' for these inputs.

    Args:
        root: the bundle; its index is proven.
        files: its models.
        truth: of the networks that it was exported from.
    """
    index = read_index(root)
    for size, prefix in folders_of(files).items():
        models = sorted({f.name for f in files if f.size == size})
        sound = golden_inputs(truth, size, sample_photo(), models)
        found = {name: read_golden(root, index, prefix + name) for name in arrays_of(models)}
        whole = {name: U8 if name == "rgb" else U16 for name, value in found.items() if value.dtype.kind == "u"}
        outputs = golden_outputs(truth, size, {name: found[name] for name in whole}, models)
        for name, value in found.items():
            if scale := whole.get(name):
                difference, gate = compare(value / scale, sound[name] / scale), GOLDEN_INPUT
            else:
                difference, gate = compare(value, outputs[name]), GOLDEN
            yield judge(Link.FILE, f"goldens fp64 {size}", name, {0: difference}, gate)
