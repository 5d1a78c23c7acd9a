"""A network as it computes in fp16, emulated by PyTorch on any processor: what rounding alone costs."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from portraiture.export.networks.exported import Exported


def _rounded(value: Any) -> Any:
    return value.half().float() if isinstance(value, Tensor) and value.dtype is torch.float32 else value


class _HalfResults(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Rounds what every operation gives to fp16."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return tree_map(_rounded, func(*args, **(kwargs or {})))


def outputs_in_fp16(network: Exported, inputs: list[Tensor], arithmetic: bool) -> dict[str, Tensor]:
    """Outputs of a network whose weights are fp16.

    Args:
        network: float32; it is left as it is.
        inputs: in its layout, float32.
        arithmetic: whether each operation rounds too; otherwise it computes in float32.
    """
    half = copy.deepcopy(network)
    with torch.no_grad():
        for tensor in (*half.parameters(), *half.buffers()):
            if tensor.dtype is torch.float32:
                tensor.copy_(_rounded(tensor))
        if not arithmetic:
            outputs: dict[str, Tensor] = half(*inputs)
            return outputs
        with _HalfResults():  # type: ignore[no-untyped-call]
            rounded: dict[str, Tensor] = half(*[_rounded(x) for x in inputs])
            return rounded
