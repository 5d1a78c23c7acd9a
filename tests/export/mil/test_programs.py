"""Converted networks, run from their files by the MIL interpreter, against torch in float64."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.export.mil.interpreter import MilProgram, Precision
from portraiture.export.quiet import quiet

FP32_ATOL = 1e-5
"""float32 against float64 over a few hundred operations on values near 1."""
FP16_ATOL = 1e-2
"""binary16 keeps 11 bits, 5e-4 an operation on values near 1; measured 5e-3 (encoder) and 9e-4 (scan of 12 steps)."""
EXACT_ATOL = 1e-6
"""float64 against float64; MIL holds settings such as epsilon, and fp32 weights, as float32."""

Convert = Callable[..., Path]


class Function(nn.Module):
    """A function of tensors as a module."""

    def __init__(self, function: Callable[..., Any], **modules: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleDict(modules)

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self.parts, *inputs) if self.parts else self.function(*inputs)


def arithmetic(x: Tensor, y: Tensor) -> Tensor:
    a = torch.sigmoid(x) * torch.tanh(y) + F.relu(x - 0.5) / (y.abs() + 1)
    b = torch.where(x > y, torch.exp(-x), torch.sqrt(y + 1)) + torch.maximum(x, y).clamp(0.1, 0.9)
    return a + b**2 - F.leaky_relu(x - y, 0.1) + F.softplus(x) + F.gelu(y) + F.hardsigmoid(x) + torch.rsqrt(y + 1)


def reductions(x: Tensor, y: Tensor) -> Tensor:
    z = torch.softmax(x, 1) + x.mean((2, 3), keepdim=True) + y.sum(1, keepdim=True) + x.amax(3, keepdim=True)
    return torch.matmul(z, y.transpose(2, 3)) + y.amin(2, keepdim=True).mean(3, keepdim=True)


def movement(x: Tensor, y: Tensor) -> Tensor:
    a, b = torch.split(x, [1, 3], 1)
    c = torch.cat([b.flip(2), a.repeat(1, 2, 1, 1)[:, :1]], 1).reshape(1, 2, 2, 12, 8).transpose(1, 2)
    d = torch.stack([x, y], 1).squeeze(0)[:, :, ::2, 1:].unsqueeze(0)
    return F.pad(c.reshape(1, 4, 12, 8), (1, 2, 0, 1)).sum() * 1e-2 + d + F.pixel_shuffle(y, 2).mean()


def scan3(x: Tensor, gates: Tensor) -> Tensor:
    """3-way propagation along the rows, written with split, pad and concat."""
    left, middle, right = torch.split(gates, 4, 1)
    bound = torch.clamp(left.abs() + middle.abs() + right.abs(), min=1.0)
    left, middle, right = left / bound, middle / bound, right / bound
    inflow = (1 - left - middle - right) * x
    rows = [torch.split(t, 1, 2) for t in (left, middle, right, inflow)]
    h = rows[3][0]
    out = [h]
    for a, b, c, own in list(zip(*rows, strict=True))[1:]:
        padded = F.pad(h, (1, 1))
        h = own + a * padded[..., :-2] + b * h + c * padded[..., 2:]
        out.append(h)
    return torch.cat(out, 2)


def doubling(x: Tensor, gate: Tensor) -> Tensor:
    """h_k = (1 - g_k) x_k + g_k h_(k-1) in log2(12) steps."""
    size, step = 12, 1
    b, a = (1 - gate) * x, gate
    while step < size:
        b = b + a * F.pad(b[:, :, : size - step], (0, 0, step, 0))
        a = a * F.pad(a[:, :, : size - step], (0, 0, step, 0))
        step *= 2
    return b


def encoder(parts: Any, x: Tensor, y: Tensor) -> Tensor:
    h = F.relu(parts["norm"](parts["conv"](torch.cat([x, y], 1))))
    h = parts["depthwise"](F.avg_pool2d(F.max_pool2d(h, 2, 2), 3, 1, 1))
    h = parts["up"](F.instance_norm(h))
    h = F.interpolate(h, scale_factor=2.0, mode="nearest")[:, :, :12, :8] + parts["dilated"](x)
    return F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)


def bilinear4(x: Tensor, y: Tensor) -> Tensor:
    four = F.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False)
    return four + F.interpolate(y, scale_factor=4.0, mode="bilinear", align_corners=True)


def encoder_module() -> nn.Module:
    norm = nn.BatchNorm2d(6)
    nn.init.uniform_(norm.running_var, 0.5, 1.5)
    nn.init.normal_(norm.running_mean, 0.0, 0.1)
    return Function(
        encoder,
        conv=nn.Conv2d(8, 6, 3, padding=1),
        norm=norm,
        depthwise=nn.Conv2d(6, 6, 3, padding=1, groups=6),
        up=nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1),
        dilated=nn.Conv2d(4, 4, 3, padding=2, dilation=2),
    )


MODULES: dict[str, Callable[[], nn.Module]] = {
    "arithmetic": lambda: Function(arithmetic),
    "reductions": lambda: Function(reductions),
    "movement": lambda: Function(movement),
    "scan3": lambda: Function(scan3),
    "doubling": lambda: Function(doubling),
    "encoder": encoder_module,
    "bilinear4": lambda: Function(bilinear4),
}
CHANNELS = {"scan3": (4, 12)}
USES = {
    "arithmetic": {"sigmoid", "tanh", "select", "maximum"},
    "reductions": {"softmax", "matmul", "reduce_mean"},
    "movement": {"split", "concat", "reshape", "transpose", "tile", "stack", "pad", "pixel_shuffle"},
    "scan3": {"pad", "split", "concat", "slice_by_index", "mul"},
    "doubling": {"pad", "mul"},
    "encoder": {"conv", "conv_transpose", "max_pool", "avg_pool", "instance_norm", "upsample_bilinear"},
    "bilinear4": {"upsample_bilinear"},
}


@functools.cache
def network(name: str) -> nn.Module:
    """The module in float32, the same whenever it is asked for."""
    torch.manual_seed(1)
    return MODULES[name]().eval()


def inputs(name: str) -> dict[str, Tensor]:
    """Values that binary16 holds exactly, so that fp16 inputs are no source of error."""
    generator = torch.Generator().manual_seed(2)
    channels = CHANNELS.get(name, (4, 4))
    return {
        key: torch.rand(1, c, 12, 8, generator=generator).half().float() for key, c in zip("xy", channels, strict=True)
    }


def truth(name: str) -> np.ndarray:
    """The module's output in float64."""
    module = network(name).double()
    try:
        with torch.no_grad():
            result = module(*(t.double() for t in inputs(name).values()))
        assert isinstance(result, Tensor)
        return result.numpy()
    finally:
        module.float()


@pytest.fixture(scope="module")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Convert:
    """Converts a module once for each set of arguments."""
    folder = tmp_path_factory.mktemp("packages")

    @functools.cache
    def converted(name: str, half: bool) -> Path:
        path = folder / f"{name}_{half}.mlpackage"
        example = inputs(name)
        with quiet():
            import coremltools as ct

            torch.set_num_threads(1)
            with torch.no_grad():
                traced = torch.jit.trace(network(name), tuple(example.values()), check_trace=False)
            ct.convert(
                traced,
                convert_to="mlprogram",
                minimum_deployment_target=ct.target.iOS17,
                compute_precision=ct.precision.FLOAT16 if half else ct.precision.FLOAT32,
                inputs=[ct.TensorType(name=k, shape=tuple(t.shape)) for k, t in example.items()],
                outputs=[ct.TensorType(name="result")],
                skip_model_load=True,
            ).save(str(path))
        return path

    return converted


def feeds(name: str) -> dict[str, np.ndarray]:
    return {key: value.numpy() for key, value in inputs(name).items()}


@pytest.mark.parametrize("name", MODULES)
def test_float32_file_computes_the_torch_function(convert, name):
    path = convert(name, half=False)
    expected = truth(name)
    for precision, atol in ((Precision.FLOAT32, FP32_ATOL), (Precision.FLOAT64, EXACT_ATOL)):
        program = MilProgram.load(path, precision)
        found = program.run(feeds(name))["result"]
        assert found.shape == expected.shape
        assert found.dtype == (np.float64 if precision is Precision.FLOAT64 else np.float32)
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
        assert program.op_counts().keys() >= USES[name]
        assert "const" not in program.op_counts()


@pytest.mark.parametrize("name", ["encoder", "scan3", "doubling"])
def test_float16_file_as_declared_stays_near_torch(convert, name):
    program = MilProgram.load(convert(name, half=True), Precision.DECLARED)
    found = program.run(feeds(name))["result"]
    error = np.abs(found - truth(name)).max()
    assert 1e-6 < error < FP16_ATOL  # above zero: the rounding does happen


def test_every_half_tensor_is_rounded(convert):
    program = MilProgram.load(convert("scan3", half=True), Precision.DECLARED)
    seen: list[tuple[str, str]] = []

    def observer(op_type: str, name: str, tensor: Tensor) -> None:
        seen.append((op_type, name))
        if op_type == "mul":
            assert torch.equal(tensor, tensor.half().float())

    program.run(feeds("scan3"), observer)
    counts = program.op_counts()
    assert {op for op, _ in seen} == set(counts)
    assert len({name for _, name in seen}) == len(seen) >= sum(counts.values())


def test_a_second_run_is_the_same(convert):
    program = MilProgram.load(convert("encoder", half=False))
    first = program.run(feeds("encoder"))["result"].copy()
    program.run({key: value * 0 for key, value in feeds("encoder").items()})
    np.testing.assert_array_equal(program.run(feeds("encoder"))["result"], first)
