"""What is measured of a layer alone is what the swapped network gives, and the network is left as it was."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from portraiture.export.contract import Size
from portraiture.export.formats import Target
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.networks.exported import TorchRunner
from portraiture.export.pipeline.planned import in_int8
from portraiture.export.pipeline.truth import Truth
from portraiture.export.plan import Kind
from portraiture.export.sensitivity.measure import Sensitivity
from portraiture.export.sensitivity.photos import photos_for
from portraiture.export.targets import FORMATS

SIZE = Size(64, 64)
FIRST = "perception.network.3"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, quick_source: str) -> Sensitivity:
    path = tmp_path_factory.mktemp("quick") / "quick_measured.py"
    path.write_text(quick_source)
    truth = Truth(Networks(Checkpoints(own=f"{path}:build")))
    return Sensitivity(truth, SIZE, photos_for(), (Target.TFLITE, Target.COREML))


@pytest.fixture
def again(tmp_path: Path, quick_source: str) -> Truth:
    """The same networks built anew, for a test that changes them."""
    (tmp_path / "quick_again.py").write_text(quick_source)
    return Truth(Networks(Checkpoints(own=f"{tmp_path / 'quick_again.py'}:build")))


def test_every_layer_of_both_networks_is_there(found: Sensitivity) -> None:
    assert [name.split(".")[0] for name in found.layers] == ["perception"] * 2 + ["filter"] * 3
    assert found.kinds == tuple(Kind)
    assert found.outputs == ("portrait", "mask", "depth")


@pytest.mark.parametrize("kind", [Kind.FP16, Kind.INT8, Kind.PALETTE4])
def test_an_effect_is_the_error_of_the_network_with_that_layer_swapped(
    found: Sensitivity, again: Truth, kind: Kind
) -> None:
    effect, truth = found.alone(FIRST, kind), again
    network = truth.networks.get("portrait")
    feeds = [truth.feeds("portrait", SIZE, photo) for photo in photos_for()]
    before = [TorchRunner(network, SIZE).run(f) for f in feeds]
    layer = network.get_submodule(f"network.{FIRST}")
    assert isinstance(layer, nn.Conv2d)
    target = Target.COREML if kind is Kind.PALETTE4 else Target.TFLITE
    stored = FORMATS[target].stored(layer.weight.detach().numpy(), kind)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(stored))
    after = [TorchRunner(network, SIZE).run(f) for f in feeds]
    for k in range(len(feeds)):
        for column, name in enumerate(found.outputs):
            mse = np.mean((after[k][name].astype(np.float64) - before[k][name]) ** 2)
            # the normalisation is folded in one of them, which rounds otherwise
            assert effect.mse[k, column] == pytest.approx(mse, rel=0.05, abs=1e-13)


def test_the_network_is_left_as_it_was(found: Sensitivity) -> None:
    first = found.alone(FIRST, Kind.PALETTE4)
    found.alone(FIRST, Kind.INT8_DYNAMIC)
    assert found.alone(FIRST, Kind.PALETTE4).mse.tolist() == first.mse.tolist()
    assert found.alone("filter.guidance.gates", Kind.INT8).mse[:, 1:].max() == 0  # the filter moves no map


def test_coarser_kinds_and_activations_move_the_outputs_farther(found: Sensitivity) -> None:
    kinds = (Kind.FP16, Kind.INT8, Kind.PALETTE4)
    errors = [found.alone(FIRST, kind).mse[:, 1].max() for kind in kinds]
    assert errors == sorted(errors)
    assert found.alone(FIRST, Kind.INT8_DYNAMIC).mse[:, 1].max() > errors[1]


@pytest.mark.slow
def test_a_whole_plan_is_measured_in_each_formats_arithmetic(found: Sensitivity) -> None:
    half = dict.fromkeys(found.layers, Kind.FP16)
    worst = {t: found.whole(half, t).max(0) for t in found.targets}
    assert (worst[Target.COREML] > 2 * worst[Target.TFLITE]).all()  # it computes in fp16 too
    one = found.whole(half | {FIRST: Kind.PALETTE4}, Target.COREML)
    assert one[:, 1].max() > 5 * worst[Target.COREML][1]
    as_int8 = [found.whole(half | {FIRST: kind}, Target.TFLITE).tolist() for kind in (Kind.INT8, Kind.PALETTE4)]
    assert as_int8[0] == as_int8[1]  # TFLite has no palettes


def test_kinds_that_save_nothing_are_left_out(found: Sensitivity) -> None:
    effects = found.effects(lambda *_: None)
    assert (FIRST, Kind.PALETTE8) not in effects  # a table of 256 values for 144 weights
    for layer, kind in effects:
        assert kind in (Kind.FP16, Kind.INT8) or found.saves(layer, kind)


def test_activations_are_rounded_to_256_steps_that_hold_zero() -> None:
    x = torch.linspace(0.5, 3.0, 4000).reshape(1, 1, 40, 100)
    rounded = in_int8(x)
    assert len(torch.unique(rounded)) <= 256
    assert float((rounded - x).abs().max()) <= 3.0 / 255 / 2 + 1e-6
    assert float(in_int8(torch.zeros(1, 1, 2, 2)).abs().max()) == 0
