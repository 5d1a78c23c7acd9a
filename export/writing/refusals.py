"""Why a converter does not take a team's own network: the module, the operation, its shape, and a form that works."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from portraiture.export.contract import Size
from portraiture.export.doctor.forms import DEFAULT_FORM, form_of
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported, TupleOut, example_inputs, is_own
from portraiture.export.quiet import quiet
from portraiture.reference.errors import ExportError, PortraitureError


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
                return f"{name} at {module or 'the network itself'}, of shape {shape} ({text[:160]})", form_of(name)
    return text[:300], DEFAULT_FORM


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
