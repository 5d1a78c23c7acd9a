"""A network with the contract's names, order and layout at its boundary, its runner, and example inputs."""

import numpy as np
import torch
from torch import Tensor, nn

from portraiture.export.contract import Kind, ModelContract, Size, model_contract
from portraiture.export.runner import Feeds, check_feeds, from_layout, to_layout


class Exported(nn.Module):
    """A network with the contract's names, order and layout at its boundary.

    Inputs are positional in the contract's order; the output is a dict by name. Scalars come as (1,).

    Args:
        name: of the model.
        network: takes and gives tensors in the contract's order, NCHW.
        layout: of this module's inputs and outputs, ``NCHW`` or ``NHWC``.
    """

    def __init__(self, name: str, network: nn.Module, layout: str) -> None:
        super().__init__()
        self.network = network
        self.name = name
        self.layout = layout

    @property
    def contract(self) -> ModelContract:
        """The model's contract: the one object, also where the network came from another process."""
        return model_contract(self.name)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights and of the arithmetic."""
        return next(self.parameters()).dtype

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        values = []
        for spec, x in zip(self.contract.inputs, inputs, strict=True):
            if spec.kind is Kind.SCALAR:
                x = x.reshape(1, 1, 1, 1)
            elif self.layout == "NHWC":
                x = x.permute(0, 3, 1, 2)
            values.append(x)
        outputs = self.network(*values)
        if self.layout == "NHWC":
            outputs = tuple(y.permute(0, 2, 3, 1) for y in outputs)
        return {spec.name: y for spec, y in zip(self.contract.outputs, outputs, strict=True)}


def with_fixed_shapes(network: Exported, inputs: tuple[Tensor, ...]) -> nn.Module:
    """A network as the graph of one size, which computes no shapes: other people's code does so while it is traced.

    Args:
        network: in evaluation mode.
        inputs: examples, which fix the shapes.

    Returns:
        A module of the same inputs, with a tuple of outputs.
    """
    with torch.no_grad():
        return in_one_mode(torch.export.export(TupleOut(network), inputs, strict=False).module(check_guards=False))


def in_one_mode(program: nn.Module) -> nn.Module:
    """The module of an exported program, which refuses ``eval`` and ``train``, so that both leave it as it is."""
    program.eval = program.train = lambda *_: program  # type: ignore[method-assign]
    return program


def is_own(network: Exported) -> bool:
    """Whether a team's own network is in it."""
    from portraiture.export.networks.own import OwnPerception  # not of a render

    return any(isinstance(module, OwnPerception) for module in network.modules())


class TupleOut(nn.Module):
    """An exported network with a tuple of outputs: tracers want tensors, not dicts."""

    def __init__(self, network: Exported) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(*inputs).values())


def example_inputs(name: str, layout: str, size: Size) -> dict[str, Tensor]:
    """Random inputs of a model, for tracing and for the doctor; the same at every call.

    Args:
        name: of the model.
        layout: ``NHWC`` or ``NCHW``.
        size: height and width in pixels.

    Returns:
        Each input by name: (1, H, W, C) or (1, C, H, W), a scalar (1,); float32 within the contract's range.
    """
    generator = torch.Generator().manual_seed(0)
    inputs = {}
    for spec in model_contract(name).inputs:
        u = torch.rand(spec.shape(size, layout), generator=generator)
        if spec.name == "rgb":
            u = torch.round(u * 255) / 255
        inputs[spec.name] = spec.low + (spec.high - spec.low) * u
    return inputs


def torch_inputs(network: Exported, size: Size, feeds: Feeds) -> list[Tensor]:
    """Feeds as the tensors that a network takes, in its layout and dtype.

    Args:
        network: whose contract and dtype count.
        size: height and width in pixels.
        feeds: the contract's inputs; images HxWx3 and maps HxW in 0..1, scalars as numbers.

    Raises:
        InputError: the feeds are not the contract's inputs, or one has another shape or is not finite.
    """
    return contract_inputs(network.contract, size, feeds, network.layout, network.dtype)


def contract_inputs(contract: ModelContract, size: Size, feeds: Feeds, layout: str, dtype: torch.dtype) -> list[Tensor]:
    """Feeds as the tensors that a network of a contract takes.

    Args:
        contract: what the feeds are for.
        size, feeds: as in :func:`torch_inputs`.
        layout: ``NHWC`` or ``NCHW``.
        dtype: of the network, float32 or float64.

    Raises:
        InputError: the feeds are not the contract's inputs, or one has another shape or is not finite.
    """
    check_feeds(contract, feeds)
    inputs = []
    for spec in contract.inputs:
        x = torch.from_numpy(to_layout(spec, feeds[spec.name], size, layout)).to(dtype)
        if spec.name == "rgb" and dtype == torch.float64:
            # the float32 of v / 255 is not v / 255: give the truth the exact value
            x = torch.round(x * 255) / 255
        inputs.append(x)
    return inputs


class TorchRunner:
    """Runs an exported network in its own dtype: float32, or float64 as the truth of the parity gate."""

    def __init__(self, network: Exported, size: Size) -> None:
        self.network = network
        self.contract = network.contract
        self.size = size

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        """Outputs by name, in the network's dtype."""
        inputs = torch_inputs(self.network, self.size, feeds)
        with torch.no_grad():
            outputs = self.network(*inputs)
        return {s.name: from_layout(s, outputs[s.name].numpy(), self.network.layout) for s in self.contract.outputs}
