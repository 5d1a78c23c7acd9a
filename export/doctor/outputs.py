"""A file computes what its network computes, and the network's outputs can be told apart."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.compare import Difference, compare
from portraiture.export.contract import MASK
from portraiture.export.formats import Precision
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported, example_inputs
from portraiture.export.runner import Feeds
from portraiture.export.targets import open_file
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import use_tolerance
from portraiture.reference.errors import GateError, PortraitureError


class WrongFile(GateError):
    """A file that computes something else than its network.

    Attributes:
        file: which file.
    """

    def __init__(self, message: str, file: ModelFile) -> None:
        super().__init__(message)
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.file)


def check_outputs(file: ModelFile, network: Exported) -> None:
    """No output is another one's copy: a converter that confuses two outputs would go unseen.

    Args:
        file: which model.
        network: of that model, float32.

    Raises:
        GateError: two outputs are equal on random input.
    """
    inputs = example_inputs(file.name, network.layout, file.size)
    with torch.no_grad():
        outputs = list(network(*inputs.values()).items())
    for k, (name, value) in enumerate(outputs):
        for other, earlier in outputs[:k]:
            if value.shape == earlier.shape and torch.equal(value, earlier):
                raise GateError(f"doctor: {file.name}: expected outputs that differ, {other} and {name} are equal;"
                                " train the network, or export other weights with --checkpoint")  # fmt: skip


Fair = Callable[[Tolerance, str, Difference], Tolerance]
"""From a gate, an output's name and its difference to the gate that counts."""


def as_it_is(gate: Tolerance, _name: str, _difference: Difference) -> Tolerance:
    """The gate."""
    return gate


def _way_out(file: ModelFile) -> str:
    """What to do about a file that is refused: fewer bits may be the whole cause."""
    if file.precision in (Precision.FP32, Precision.FP16):
        return "the converter wrote another computation: export another --precision, --route or --target"
    if file.precision is Precision.PLAN:
        return "the plan does not hold its budget here: search one at this --size, or lower its budget_db"
    return f"these weights may not bear {file.precision.value}: export --precision fp16"


def check_computation(
    root: Path, file: ModelFile, feeds: Feeds, expected: Mapping[str, np.ndarray], fair: Fair = as_it_is
) -> dict[str, Difference]:
    """Run a file that was just written, and hold each output to the gate's tolerance.

    Args:
        root: the new bundle.
        file: which file.
        feeds: the contract's inputs for the sample photo; images HxWx3 and maps HxW in 0..1, scalars as numbers.
        expected: what the network gives for them in float64, by output; HxWx3 or HxW in 0..1.
        fair: asks no more of a file of other weights than they give.

    Returns:
        The difference of each output, by its name.

    Raises:
        WrongFile: the file does not run, or an output is outside its tolerance.
    """
    found: dict[str, Difference] = {}
    try:
        outputs = open_file(root, file).run(feeds)
        for name, truth in expected.items():
            found[name] = compare(outputs[name], truth, as_mask=name == MASK.name)
    except PortraitureError as error:
        raise WrongFile(f"doctor: {file.path}: expected a file that runs, found: {error}", file) from error
    for name, difference in found.items():
        gate = use_tolerance(file.name, file.target, file.precision, name, file.budget_db)
        gate = fair(gate, name, difference)
        if not gate.passes(difference):
            overlap = "" if difference.iou is None else f", IoU {difference.iou:.3f}"
            raise WrongFile(
                f"doctor: {file.path}: {name}: expected {gate} against PyTorch float64 on the sample photo, found max"
                f" error {difference.max_abs:.2g}, PSNR {difference.psnr_db:.1f} dB{overlap}; {_way_out(file)}",
                file,
            )
    return found
