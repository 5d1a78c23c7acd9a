"""PyTorch -> ``.aimodel`` by Apple's converter, on any system that has its packages."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from portraiture.export.contract import Size
from portraiture.export.coreai.asset import describe
from portraiture.export.coreai.compress import compressed, kept_weights
from portraiture.export.coreai.convert import converted, folded
from portraiture.export.coreai.packages import apple
from portraiture.export.formats import Precision
from portraiture.export.networks.exported import Exported
from portraiture.export.plan import Kind


def write(
    network: Exported,
    size: Size,
    precision: Precision,
    path: Path,
    conversions: Path | None = None,
    samples: Iterable[dict[str, np.ndarray]] = (),
    kinds: Mapping[str, Kind] | None = None,
) -> dict[str, str]:
    """Convert to an ``.aimodel`` with the contract's names, the contract in it; inputs and outputs float32 NCHW.

    Args:
        network: built for layout NCHW.
        size: fixed input size.
        precision: of weights and arithmetic.
        path: folder to write.
        conversions: not needed; each program is made from the network.
        samples: not needed; Core AI is not written in static int8.
        kinds: not needed; Core AI is not written by a plan.

    Returns:
        Nothing: the doctor refuses no operation of Core AI, so that none needs the module it comes from.

    Raises:
        InputError: Apple's packages are not installed.
    """
    with apple():
        program = converted(network, size, precision is not Precision.FP32)
        compressed(program, precision, kept_weights(folded(network))).save_asset(path)
    describe(path, [(network.contract.name, size)])
    return {}
