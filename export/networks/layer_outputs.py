"""The output of each leaf module of a network, in the order of execution."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from portraiture.export.networks.exported import Exported

_FOLDED = (nn.BatchNorm2d,)


def layer_outputs(network: Exported, inputs: Sequence[Tensor]) -> list[tuple[str, str, Tensor]]:
    """Name, kind and output (1, C, H, W) of each leaf module in the order of execution.

    A convolution that a normalisation follows is left out: converters fold the two into one.
    """
    outputs: list[tuple[str, str, Tensor]] = []
    handles = []
    for name, module in network.named_modules():
        if next(module.children(), None) is None:

            def keep(module: nn.Module, _: object, output: Tensor, name: str = name) -> None:
                if isinstance(module, _FOLDED) and outputs:
                    outputs.pop()
                outputs.append((name, type(module).__name__, output.detach()))

            handles.append(module.register_forward_hook(keep))
    try:
        with torch.no_grad():
            network(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return [o for o in outputs if o[2].ndim == 4]
