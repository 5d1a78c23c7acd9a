"""What rounding to fp16 costs weights of a team's own: files are not asked for more than PyTorch's own fp16 gives.

The shipped weights' files were measured; others may round worse, above all after little training. A file that is no
worse than ``MULTIPLE`` times the network's own error in fp16 is a faithful one.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from portraiture.export.compare import Difference, compare
from portraiture.export.formats import FP16_ARITHMETIC, Precision
from portraiture.export.measured_errors import MeasuredError, worse
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import torch_inputs
from portraiture.export.networks.fp16 import outputs_in_fp16
from portraiture.export.pipeline.probes import probes_of
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import from_layout
from portraiture.export.sample_photo import sample_photo
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import MULTIPLE

LEAST_DB = 30.0
"""A map that is farther off is of no use, whatever fp16 makes of it; the second link asks for as much."""


def fp16_errors(truth: Truth, file: ModelFile) -> dict[str, MeasuredError]:
    """The largest error of a model in PyTorch's fp16 over the sample photo and the probes, by output.

    Args:
        truth: of the networks.
        file: an fp16 file of the model; its format says whether the arithmetic is fp16 too.
    """
    network, found = truth.networks.get(file.name), dict[str, MeasuredError]()
    photo = sample_photo()
    cases = [(truth.feeds(file.name, file.size, photo), truth.expected(file.name, file.size, photo))]
    cases += [truth.on_probe(file.name, file.size, probe) for probe in probes_of(file.name)]
    for feeds, expected in cases:
        inputs = torch_inputs(network, file.size, feeds)
        outputs = outputs_in_fp16(network, inputs, file.target in FP16_ARITHMETIC)
        for spec in network.contract.outputs:
            value = from_layout(spec, outputs[spec.name].numpy(), network.layout)
            found[spec.name] = worse(found.get(spec.name), compare(value, expected[spec.name]))
    return found


def fair_for(truth: Truth, file: ModelFile) -> Callable[[Tolerance, str, Difference], Tolerance]:
    """:func:`fair` of one file, as the doctor takes it.

    Args:
        truth: of the networks.
        file: the file that is judged.
    """
    return lambda gate, output, difference: fair(gate, truth, file, output, [difference])


def fair(gate: Tolerance, truth: Truth, file: ModelFile, output: str, differences: Iterable[Difference]) -> Tolerance:
    """A gate; for an fp16 file of other weights that fails it, the gate that the network's own fp16 allows.

    Args:
        gate: what is of use.
        truth: of the networks.
        file: the file that is judged.
        output: name of the output.
        differences: of the output.
    """
    if truth.shipped or file.precision is not Precision.FP16 or all(gate.passes(d) for d in differences):
        return gate
    key = ("fp16", file.name, file.size, file.target)
    error = truth.remembered(key, lambda: fp16_errors(truth, file))[output]
    least = max(LEAST_DB, round(error.psnr_db - 20 * math.log10(MULTIPLE), 1))
    if gate.min_psnr_db is None or least >= gate.min_psnr_db:
        return gate
    reason = f"{MULTIPLE:g} times what these weights lose by fp16 in PyTorch, {error.psnr_db:.1f} dB"
    return replace(gate, reason=reason, min_psnr_db=least, min_iou=None)
