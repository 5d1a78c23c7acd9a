"""The weights that are read from each format are the network's, in every precision and by layer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from portraiture.export.bundle.any_release import open_any_release
from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, PRECISIONS, Precision, Target
from portraiture.export.networks.build import Checkpoints
from portraiture.export.targets import FORMATS
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec

pytestmark = pytest.mark.slow

SOURCE = """
import torch
from torch import nn
from portraiture.export.networks.own import DepthOutput, MaskOutput, OwnNetwork

def build():
    torch.manual_seed(5)
    layers = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
        nn.Conv2d(32, 2, 3, padding=1),
    )
    return OwnNetwork(layers, mask=MaskOutput(None, 0, "logit"), depth=DepthOutput(None, 1, "logit"))
"""
"""The second convolution has 9216 weights, so that it is quantized; the others stay float."""

CLOSE = {Precision.FP32: 1e-6, Precision.FP16: 5e-4, Precision.INT8: 4.5e-3, Precision.PALETTIZED: 4e-3}
"""Largest error as a share of the layer's largest weight: 2 ** -11 of fp16, half a step of 127 and a scale in fp16;
of 256 values alike."""


@pytest.fixture(scope="session")
def large(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A bundle of the three formats in all their precisions but the static one."""

    def make(root: Path) -> None:
        root.mkdir()
        (root / "net.py").write_text(SOURCE)
        own = Checkpoints(own=f"{root / 'net.py'}:build")
        spec = BundleSpec(("perception",), BUILT_IN, tuple(CLOSE), (Size(64, 64),), checkpoints=own)
        export_bundle(spec, root / "bundle", gate=False)

    return made_once("large_layers", make) / "bundle"


def _convolutions() -> list[np.ndarray]:
    names: dict[str, object] = {}
    exec(SOURCE, names)
    layers = names["build"]().network  # type: ignore[operator]
    return [m.weight.detach().double().numpy() for m in layers.modules() if isinstance(m, torch.nn.Conv2d)]


@pytest.mark.parametrize(("target", "precision"), [(t, p) for t in BUILT_IN for p in CLOSE if p in PRECISIONS[t]])
def test_each_layer_is_read_as_it_is(large: Path, target: Target, precision: Precision) -> None:
    opened = open_any_release(large)
    file = opened.models[f"perception {target.value} {precision.value} 64x64"].known
    assert file is not None
    found = [value for _, value in FORMATS[target].weights(large / file.path, file) if value.ndim == 4]
    expected = _convolutions()
    if target is Target.TFLITE:
        expected = [w.transpose(0, 2, 3, 1) for w in expected]
    assert [v.shape for v in found] == [w.shape for w in expected]
    for value, weight in zip(found, expected, strict=True):
        assert np.abs(value - weight).max() <= CLOSE[precision] * np.abs(weight).max()
