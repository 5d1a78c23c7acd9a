"""The output of each leaf module of a network, in the order of execution."""

from torch import Tensor, nn

from portraiture.export.networks.torch_runner import TorchRunner
from portraiture.export.runner import Feeds

_FOLDED = (nn.BatchNorm2d,)


def module_outputs(runner: TorchRunner, feeds: Feeds) -> list[tuple[str, str, Tensor]]:
    """Name, kind and output (1, C, H, W) of each leaf module in the order of execution.

    A convolution that a normalisation follows is left out: converters fold the two into one.
    """
    outputs: list[tuple[str, str, Tensor]] = []
    handles = []
    for name, module in runner.network.named_modules():
        if next(module.children(), None) is None:

            def keep(module: nn.Module, _: object, output: Tensor, name: str = name) -> None:
                if isinstance(module, _FOLDED) and outputs:
                    outputs.pop()
                outputs.append((name, type(module).__name__, output.detach()))

            handles.append(module.register_forward_hook(keep))
    try:
        runner.run(feeds)
    finally:
        for handle in handles:
            handle.remove()
    return [o for o in outputs if o[2].ndim == 4]
