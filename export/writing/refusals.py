"""Why a converter does not take a team's own network: the module, the operation, its shape, and a form that works."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from portraiture.export.contract import Size
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported, TupleOut, example_inputs, is_own
from portraiture.export.quiet import quiet
from portraiture.reference.errors import ExportError, PortraitureError

_FORMS = {
    "grid_sampler": "resize with interpolate, or shift with pads and slices",
    "roll": "slice and concatenate",
    "unfold": "write it as convolutions",
    "im2col": "write it as convolutions",
    "fft": "write it as convolutions",
    "sort": "compare with a maximum or a mean",
    "topk": "compare with a maximum or a mean",
    "nonzero": "multiply by a mask: shapes must not depend on values",
    "masked_select": "multiply by a mask: shapes must not depend on values",
    "cumsum": "convolve with a kernel of ones, or matrix-multiply with a triangle of ones",
    "einsum": "write it as matrix products",
    "adaptive": "pool with the kernel that the fixed size gives",
    "deform": "write it as convolutions",
}
"""Forms that every target takes, by a part of an operation's name."""

_DEFAULT_FORM = "write that layer with convolutions, pools, slices, pads and arithmetic"


@contextmanager
def own_refusals(file: ModelFile, network: Exported) -> Iterator[None]:
    """A block in which errors of converters and runtimes about a team's own network become one line.

    Raises:
        ExportError: the format does not take it.
    """
    try:
        yield
    except PortraitureError:
        raise
    except Exception as error:
        if not is_own(network):
            raise
        what, form = refusal(error, network, file.size)
        raise ExportError(f"--network: expected what {file.target.value} takes, found {what}; {form}") from error


def refusal(error: Exception, network: Exported, size: Size) -> tuple[str, str]:
    """A converter's error in one line, with the module, operation and shape that it is about where they can be told.

    The second text is a form that works.

    Args:
        error: what the converter raised.
        network: what it was given.
        size: of the inputs, height and width in pixels.
    """
    text = " ".join(f"{type(error).__name__}: {error}".split())
    named = re.findall(r"aten(?:::|\.)(\w+)", text) + re.findall(
        r"op(?:eration|erator)?:? ['\"]?(?:aten::)?(\w+)", text
    )
    for name in dict.fromkeys(named):
        for operation, module, shape in _operations(network, size):
            if operation == name:
                form = next((form for part, form in _FORMS.items() if part in name), _DEFAULT_FORM)
                return f"{name} at {module or 'the network itself'}, of shape {shape} ({text[:160]})", form
    return text[:300], _DEFAULT_FORM


def _operations(network: Exported, size: Size) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Name, module and output shape of each operation of a network; none where it cannot be traced."""
    inputs = tuple(example_inputs(network.name, network.layout, size).values())
    try:
        with quiet(), torch.no_grad():
            program = torch.export.export(TupleOut(network), inputs, strict=False)
    except Exception:  # what hinders the converter may hinder this one too
        return
    for node in program.graph.nodes:
        value = node.meta.get("val")
        if isinstance(node.target, torch._ops.OpOverload) and isinstance(value, torch.Tensor):
            stack = list(node.meta.get("nn_module_stack", {}).values())
            module = stack[-1][0].removeprefix("network.network.") if stack else ""
            yield node.target.overloadpacket.__name__, module, tuple(value.shape)
