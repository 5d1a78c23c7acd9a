"""The audit of weights and the list of mistakes say nothing of sound files, and the smallest harm is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.contract import Size
from portraiture.export.diagnosis import weights as file_weights
from portraiture.export.diagnosis.explain import cause_of
from portraiture.export.diagnosis.mistakes import NONE, _Interpolate, _rotate_names, mistakes, run_mistaken
from portraiture.export.diagnosis.weights import OtherWeights, layer_weights, other_weights, weights_sentence
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Networks
from portraiture.export.pipeline.truth import Truth

FILE = ModelFile("perception", Target.ONNX, Precision.FP32, Size(64, 64), "p.onnx")


def test_every_file_of_a_sound_bundle_holds_the_checkpoints_weights(bundle: Path) -> None:
    networks = Networks()
    for file in model_files(read_manifest(bundle)):
        wrong, layers = other_weights(bundle, file, networks.get(file.name))
        assert wrong == [], file.path
        assert layers > 10


def net() -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1), nn.ConvTranspose2d(2, 2, 4))
    bn = network[1]
    assert isinstance(bn, nn.BatchNorm2d)
    assert bn.running_var is not None
    bn.running_var.uniform_(0.5, 2.0)
    return network.eval()


def held(network: nn.Module) -> list[np.ndarray]:
    """What a converter stores of a network: folded, each in another order."""
    rng = np.random.default_rng(0)
    return [rng.permutation(forms[-1]).astype(np.float32) for _, _, forms in layer_weights(network)]


def sentence(monkeypatch: pytest.MonkeyPatch, values: list[np.ndarray]) -> str:
    holding = replace(file_weights.FORMATS[FILE.target], constants=lambda _: values)
    monkeypatch.setitem(file_weights.FORMATS, FILE.target, holding)
    return weights_sentence(*other_weights(Path(), FILE, net()))


def test_folded_and_reordered_weights_are_the_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sentence(monkeypatch, held(net())) == ""


def test_one_bit_a_nan_a_lost_layer_and_other_weights_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    values = held(net())
    values[2].view(np.uint32)[5] ^= 1 << 24
    said = sentence(monkeypatch, values)
    assert said == "weights of 3 (ConvTranspose2d) are not the checkpoint's: 1 of 64 differ"
    values = held(net())
    values[1][0] = np.nan
    assert "2 (Conv2d)" in sentence(monkeypatch, values)
    assert "NaN" in sentence(monkeypatch, values)
    assert "0 (Conv2d) are not the checkpoint's: all differ" in sentence(monkeypatch, held(net())[1:])
    said = sentence(monkeypatch, [v * np.float32(1.01) for v in held(net())])
    assert said.startswith("stale: 3 of 3 layers")


@pytest.mark.parametrize("planes", [1, 4])
def test_a_disk_with_another_kernel_is_named(monkeypatch: pytest.MonkeyPatch, planes: int) -> None:
    """Formats keep a kernel as it is, or once for each plane that it blurs."""
    network = Networks().get("filter")
    layers = layer_weights(network)
    place = next(k for k, (name, _, _) in enumerate(layers) if name.endswith("disks.levels.1.kernels.1"))
    values = [np.repeat(forms[0], planes if kind == "kernel" else 1).astype(np.float32) for _, kind, forms in layers]
    holding = replace(file_weights.FORMATS[FILE.target], constants=lambda _: values)
    monkeypatch.setitem(file_weights.FORMATS, FILE.target, holding)
    assert other_weights(Path(), FILE, network)[0] == []
    values[place][:planes] += 0.5
    (wrong,), count = other_weights(Path(), FILE, network)
    assert count == len(layers) == 12
    assert (wrong.name, wrong.kind, wrong.differ) == (layers[place][0], "kernel", planes)


def test_a_precision_that_changes_weights_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_weights, "_ROUNDING", {})
    assert other_weights(Path(), FILE, net()) == ([], 3)
    assert weights_sentence([OtherWeights("a", "Conv2d", 1, 9, True)] * 2, 9).endswith(", and those of 1 more layers")


def test_each_mistake_changes_something_and_has_its_own_words() -> None:
    words = [m.cause for m in mistakes()]
    assert len(set(words)) == len(words) >= 15
    rng = np.random.default_rng(0)
    photo, small = rng.random((8, 8, 3)), torch.rand(1, 1, 4, 4)
    outputs = {"mask": rng.random((8, 8)), "depth": rng.random((8, 8)), "portrait": photo}
    for mistake in mistakes():
        with mistake.during():
            resized = F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
        changed = [
            not np.array_equal(mistake.rgb(photo), photo),
            not np.array_equal(mistake.out(photo), photo),
            not np.array_equal(mistake.outputs(outputs)["mask"], outputs["mask"]),
            not torch.equal(resized, F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)),
        ]
        assert any(changed), mistake.cause


def test_outputs_of_equal_shape_take_each_others_name_and_the_resize_ends_with_its_context() -> None:
    outputs = {"mask": np.zeros((2, 2)), "depth": np.ones((2, 2)), "portrait": np.ones((2, 2, 3))}
    rotated = _rotate_names(outputs)
    assert rotated["mask"] is outputs["depth"]
    assert rotated["depth"] is outputs["mask"]
    assert rotated["portrait"] is outputs["portrait"]
    x = torch.rand(1, 1, 4, 4)
    before = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    with _Interpolate(mode="nearest", align_corners=None):
        assert torch.equal(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
                           F.interpolate(x, scale_factor=2, mode="nearest"))  # fmt: skip
    assert torch.equal(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), before)


def test_a_network_runs_once_for_all_files_and_for_all_mistakes_of_outputs() -> None:
    network, runs = Networks().get("coarse", dtype=torch.float64), []
    network.register_forward_hook(lambda *_: runs.append(1))
    feeds = {"rgb": np.random.default_rng(0).random((64, 64, 3))}
    named = {m.cause: m for m in mistakes()}
    first = run_mistaken(network, FILE, feeds, NONE)
    turned = run_mistaken(network, FILE, feeds, named["an output is turned round: 1 - x"])
    np.testing.assert_array_equal(turned["mask"], 1 - first["mask"])
    assert len(runs) == 1
    corners = next(m for cause, m in named.items() if "corners are aligned" in cause)
    assert not np.array_equal(run_mistaken(network, FILE, feeds, corners)["mask"], first["mask"])
    np.testing.assert_array_equal(run_mistaken(network, FILE, feeds, NONE)["mask"], first["mask"])
    assert len(runs) == 2
    other = run_mistaken(network, FILE, {"rgb": feeds["rgb"] * 0.5}, NONE)
    assert not np.array_equal(other["mask"], first["mask"])
    assert len(runs) == 3


@pytest.mark.parametrize("target", BUILT_IN)
def test_no_mistake_is_claimed_of_a_sound_file(bundle: Path, astronaut: np.ndarray, target: Target) -> None:
    files = model_files(read_manifest(bundle))
    file = next(f for f in files if (f.name, f.target, f.precision) == ("perception", target, Precision.FP32))
    feeds = Truth(Networks()).feeds("perception", file.size, astronaut)
    assert cause_of(bundle, file, Networks(), feeds) == ""
