"""The VGG-16 guidance network and the loading of torchvision's weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.training.models.vgg import VggGuidance, load_vgg_features

# torchvision.models.vgg16().features: index -> (out, in) of each convolution
TORCHVISION = {
    0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256), 14: (256, 256),
    17: (512, 256), 19: (512, 512), 21: (512, 512), 24: (512, 512), 26: (512, 512), 28: (512, 512),
}  # fmt: skip


@pytest.fixture(scope="module")
def guidance() -> VggGuidance:
    torch.manual_seed(4)
    return VggGuidance().eval()


def torchvision_tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    tensors = {}
    for index, (outputs, inputs) in TORCHVISION.items():
        tensors[f"features.{index}.weight"] = 0.02 * torch.randn(outputs, inputs, 3, 3, generator=generator)
        tensors[f"features.{index}.bias"] = 0.1 * torch.randn(outputs, generator=generator)
    return tensors


def test_layout_shapes_and_skips(guidance: VggGuidance) -> None:
    convolutions = {int(k): m for k, m in guidance.features.named_children() if isinstance(m, nn.Conv2d)}
    assert {k: (m.out_channels, m.in_channels) for k, m in convolutions.items()} == TORCHVISION
    assert len(guidance.features) == 31  # conv1_1 to pool5
    entered: list[tuple[int, ...]] = []
    hooks = [
        block.register_forward_pre_hook(lambda _, args: entered.append(tuple(args[0].shape[1:])))
        for block in guidance.decoder
    ]
    with torch.no_grad():
        out = guidance(torch.rand(2, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    assert out.shape == (2, VggGuidance.channels, 64, 64)
    # concatenation skips: what comes from below, plus conv5 ... conv1 at 1/16 ... 1/1
    assert entered == [
        (512 + 512, 4, 4), (512 + 512, 8, 8), (256 + 256, 16, 16), (128 + 128, 32, 32), (64 + 64, 64, 64),
    ]  # fmt: skip


def test_loads_torchvision_weights_by_name(guidance: VggGuidance, tmp_path: Path) -> None:
    tensors = torchvision_tensors()
    save_file({**tensors, "classifier.0.bias": torch.zeros(4)}, tmp_path / "vgg16.safetensors")
    decoder = [p.detach().clone() for p in guidance.decoder[0].parameters()]
    load_vgg_features(guidance, tmp_path / "vgg16.safetensors")
    for name, value in guidance.features.state_dict().items():
        assert torch.equal(value, tensors[f"features.{name}"]), name
    assert all(torch.equal(a, b) for a, b in zip(decoder, guidance.decoder[0].parameters(), strict=True))
    x = torch.rand(1, 3, 32, 32)
    normal = (x - torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).reshape(1, 3, 1, 1)
    expected = nn.functional.conv2d(normal, tensors["features.0.weight"], tensors["features.0.bias"], padding=1)
    seen: list[Tensor] = []
    hook = guidance.features[0].register_forward_hook(lambda _m, _a, out: seen.append(out))
    with torch.no_grad():
        guidance(x)
    hook.remove()
    torch.testing.assert_close(seen[0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("damage", ["wrong-shape", "missing", "bare-names"])
def test_a_wrong_file_raises_and_changes_nothing(guidance: VggGuidance, tmp_path: Path, damage: str) -> None:
    shape = (64, 4, 3, 3) if damage == "wrong-shape" else (64, 3, 3, 3)
    name = "0.weight" if damage == "bare-names" else "features.0.weight"
    tensors = {} if damage == "missing" else {name: torch.zeros(shape)}
    tensors["features.0.bias"] = torch.zeros(64)
    save_file(tensors, tmp_path / "vgg16.safetensors")
    before = guidance.features[0].weight.detach().clone()
    with pytest.raises(InputError, match=r"features\.0\.weight \(64, 3, 3, 3\)") as error:
        load_vgg_features(guidance, tmp_path / "vgg16.safetensors")
    assert "\n" not in str(error.value)
    assert torch.equal(guidance.features[0].weight, before)
