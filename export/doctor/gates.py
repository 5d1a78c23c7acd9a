"""Gate bounds, before anything is converted: what a recursion keeps of its predecessor must not grow along a line.

The propagation's gates obey sum |g| <= 1 (1.02 already gives 2e8 over 1,024 columns) and are zero where they point
outside the image; the RNN filter's decays lie in [0, 1). This module checks the gates that the network computes, on
random input and on a photo.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn

from portraiture.export.contract import FilterLook, Size
from portraiture.export.networks.exported import Exported, example_inputs, is_own
from portraiture.export.networks.look import look_of
from portraiture.export.runner import Feeds, to_layout
from portraiture.reference.errors import GateError
from portraiture.training.models import propagation
from portraiture.training.models.filters import rnn as rnn_filter

SUM_MARGIN = 1e-6
"""Three float32 quotients may add up to this much more than 1."""


_WITHOUT_GATES = ("coarse",)


def _first_line(g: Tensor, direction: str) -> Tensor:
    """The line of (N, C, H, W) at which a scan begins, which has no predecessor."""
    return {"down": g[:, :, 0], "up": g[:, :, -1], "right": g[..., 0], "left": g[..., -1]}[direction]


def _beyond(g: Tensor, direction: str, neighbour: int) -> Tensor:
    """The pixels whose neighbour i - 1 (0) or i + 1 (2) across the scan lies outside; none for 1."""
    if neighbour == 1:
        return g[:, :, :0]
    end = 0 if neighbour == 0 else -1
    return g[..., end] if direction in ("down", "up") else g[:, :, end]


def propagation_fault(raw: Tensor) -> str:
    """What is wrong with the gates made of raw gates (N, 12 C, H, W); empty where nothing is."""
    bounded = (torch.chunk(gate, len(propagation.DIRECTIONS), 1) for gate in propagation.bound_gates(raw))
    for direction, *gates in zip(propagation.DIRECTIONS, *bounded, strict=True):
        total = float(torch.stack([g.abs() for g in gates]).sum(0).max())
        if not total <= 1 + SUM_MARGIN:
            return f"expected sum |g| <= 1, found {total:.4g} going {direction}"
        for neighbour, g in enumerate(gates):
            if _first_line(g, direction).any() or _beyond(g, direction, neighbour).any():
                return f"expected gates of 0 that point outside the image, found others going {direction}"
    return ""


def feather_fault(diagonal_px: Tensor, gates: Tensor) -> str:
    """What is wrong with the decays of the filter's recursion; empty where nothing is."""
    decays = rnn_filter.decays(diagonal_px, gates)
    low, high = float(decays.min()), float(decays.max())
    return "" if low >= 0 and high < 1 else f"expected decays in [0, 1), found {low:.4g}..{high:.4g}"


def check_gates(network: Exported, size: Size, photo_feeds: Feeds) -> None:
    """Run a network and check the gates of each recursion in it.

    Args:
        network: built for layout NCHW, float32.
        size: of the inputs.
        photo_feeds: the contract's inputs for a photo.

    Raises:
        GateError: naming the layer and the input.
    """
    name = network.contract.name
    checks: dict[type[nn.Module], Callable[..., str]] = {
        propagation.Propagation: lambda _, raw: propagation_fault(raw),
        rnn_filter.Feather: lambda _, diagonal_px, gates: feather_fault(diagonal_px, gates),
    }

    def refuse(layer: str, shown: str, module: nn.Module, given: tuple[Tensor, ...]) -> None:
        fault = checks[type(module)](*given)
        if fault:
            raise GateError(f"doctor: {name}: {layer} ({type(module).__name__}): {fault} on {shown};"
                            " bound the gates in that layer")  # fmt: skip

    layers = [(n, m) for n, m in network.named_modules() if type(m) in checks]
    has_none = is_own(network) or look_of(network) is FilterLook.LENS
    if not layers and name not in _WITHOUT_GATES and not has_none:
        kinds = " or ".join(kind.__name__ for kind in checks)
        raise GateError(
            f"doctor: {name}: expected a recursion ({kinds}), found none, so that its gates cannot be checked;"
            " export one of our models"
        )
    for shown, inputs in _inputs(network, size, photo_feeds):
        handles = [m.register_forward_pre_hook(partial(refuse, n, shown)) for n, m in layers]
        try:
            with torch.no_grad():
                network(*inputs)
        finally:
            for handle in handles:
                handle.remove()


def _inputs(network: Exported, size: Size, photo_feeds: Feeds) -> Iterator[tuple[str, list[Tensor]]]:
    yield "random input", list(example_inputs(network.contract.name, "NCHW", size).values())
    arrays = [to_layout(s, photo_feeds[s.name], size, "NCHW") for s in network.contract.inputs]
    yield "the sample photo", [torch.from_numpy(a) for a in arrays]
