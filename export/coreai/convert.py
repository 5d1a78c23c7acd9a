"""PyTorch -> Core AI: ``torch.export``, then Apple's converter, in memory."""

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from portraiture.export.contract import Size
from portraiture.export.networks.exported import Exported, TupleOut, example_inputs


def folded(network: Exported) -> Exported:
    """A copy of a network whose convolutions hold the normalisation that follows them.

    Apple's converter folds them too, but in the program's own arithmetic: in fp16 that rounds once more.
    """
    copied = copy.deepcopy(network)
    for sequence in (m for m in copied.modules() if isinstance(m, nn.Sequential)):
        for k in range(len(sequence) - 1):
            conv, norm = sequence[k], sequence[k + 1]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                sequence[k], sequence[k + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return copied


class HalfInside(nn.Module):
    """A network that computes in fp16, between float32 inputs and outputs."""

    def __init__(self, network: Exported) -> None:
        super().__init__()
        self.network = network.half()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(y.float() for y in self.network(*(x.half() for x in inputs)).values())


@contextmanager
def named_alike() -> Iterator[None]:
    """A block in which the converter gives the same names at every conversion.

    It draws the ends of the names of functions inside a program by ``secrets.choice``: two files of the same weights
    would differ.
    """
    from coreai.authoring import func, graph_builder

    drawn, choice = random.Random(0), func.choice
    func.choice = graph_builder.choice = drawn.choice
    try:
        yield
    finally:
        func.choice = graph_builder.choice = choice


@lru_cache(maxsize=1)
def converted(network: Exported, size: Size, half: bool) -> Any:
    """The ``AIProgram`` of a network, its function called ``main``; the last one is kept for precisions made of fp16.

    Nothing of this machine is in it: Apple's converter would keep the paths of Python files for its debugger.

    Args:
        network: layout NCHW, float32.
        size: fixed input size.
        half: fp16 weights and arithmetic, else float32.
    """
    from coreai_torch import TorchConverter, get_decomp_table

    inputs, own = example_inputs(network.name, "NCHW", size), folded(network)
    module = HalfInside(own) if half else TupleOut(own)
    with torch.no_grad(), named_alike():
        program = torch.export.export(module.eval(), tuple(inputs.values())).run_decompositions(get_decomp_table())
        converter = TorchConverter(mode=TorchConverter.Mode.RELEASE)
        outputs = [spec.name for spec in network.contract.outputs]
        return converter.add_exported_program(program, input_names=list(inputs), output_names=outputs).to_coreai()
