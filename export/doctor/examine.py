"""Examines networks before they are converted, and each file after it was written; a refusal names the layer."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from portraiture.export.compare import Difference
from portraiture.export.doctor.fp16 import check_fp16_range
from portraiture.export.doctor.gates import check_gates
from portraiture.export.doctor.operations import (
    MAY_STAY_UNDELEGATED,
    check_delegate,
    check_operations,
    layer_of,
    remarks,
)
from portraiture.export.doctor.outputs import Fair, as_it_is, check_computation, check_outputs
from portraiture.export.formats import Precision, Route
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported, is_own
from portraiture.export.networks.look import look_of
from portraiture.export.runner import Feeds
from portraiture.export.targets import FORMATS


def examine_network(network: Exported, files: Sequence[ModelFile], feeds: Feeds) -> None:
    """All checks of a network, before a file is made of it.

    Args:
        network: layout NCHW, float32.
        files: those that will be made of it, of one size; one or more.
        feeds: the contract's inputs for the sample photo; images HxWx3 and maps HxW in 0..1, scalars as numbers.

    Raises:
        GateError: the first that fails.
    """
    check_gates(network, files[0].size, feeds)
    check_outputs(files[0], network)
    for file in [f for f in files if f.precision is not Precision.FP32][:1]:
        check_fp16_range(file, network)


def examine(
    root: Path,
    file: ModelFile,
    network: Exported,
    feeds: Feeds,
    expected: Mapping[str, np.ndarray],
    modules: Mapping[str, str] | None = None,
    route: Route = Route.LITERT,
    note: Callable[[str], None] = lambda _: None,
    fair: Fair = as_it_is,
) -> dict[str, Difference]:
    """All checks of a file that was just written: its operations, its delegate, and what it computes.

    Args:
        root: the new bundle.
        file: which file.
        network: what was exported, for the names of its layers.
        feeds: the contract's inputs for the sample photo; images HxWx3 and maps HxW in 0..1, scalars as numbers.
        expected: what the network gives for them in float64, by output; HxWx3 or HxW in 0..1.
        modules: path in the module tree by the name of a value in the file, where the converter names it.
        route: how a TFLite file was made.
        fair: asks no more of a file of other weights than they give.
        note: called with what a phone will do slowly of a team's own network.

    Returns:
        How far each output is from the expected one, by its name.

    Raises:
        GateError: the first that fails.
    """

    def layer(output: str) -> str:
        return layer_of(output, network, modules or {})

    path, form = root / file.path, FORMATS[file.target]
    left_out = [o for o in form.undelegated(path) if o.kind not in MAY_STAY_UNDELEGATED[route]]
    if is_own(network):
        for line in remarks(file, form.operations(path), left_out, layer):
            note(line)
    else:
        check_operations(file, form.operations(path), layer, look_of(network))
        check_delegate(file, left_out, layer)
    return check_computation(root, file, feeds, expected, fair)
