"""The first layer at which file and network part is named, whatever the converter made of the layers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.diagnosis import explain as explain_module
from portraiture.export.diagnosis.explain import sentence
from portraiture.export.diagnosis.locate import CLOSE, LayerMatch, first_diverging, locate, nearest_values
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.parity.rows import Link, judge
from portraiture.export.parity.subjects import subject_of
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds
from portraiture.export.tolerance import Tolerance
from portraiture.training.tensor_files import load_tensors, save_tensors
from portraiture.training.weights import SHIPPED_PERCEPTION

SIZE = Size(128, 96)


def test_a_layer_is_found_after_a_fused_activation_and_in_the_other_layout() -> None:
    y = torch.randn(1, 3, 4, 5, dtype=torch.float64)
    fused = nn.functional.relu6(y).numpy().transpose(0, 2, 3, 1)
    (layer,) = nearest_values([("other", np.zeros((1, 4, 5, 3))), ("conv;relu6", fused)], [("a.b", "Conv2d", y)])
    assert layer.found == "conv;relu6"
    assert layer.error < 1e-6
    (missing,) = nearest_values([("other", np.zeros((1, 2, 2, 3)))], [("a.b", "Conv2d", y)])
    assert missing.error == float("inf")


@pytest.mark.parametrize(
    ("lost", "first"),
    [("....", None), ("..xx", 2), (".x..", None), (".x..xxxx", 4), ("xxxx", 0), ("..xx.xxx", 2), ("...x", 3)],
)
def test_the_first_of_the_lost_tail(lost: str, first: int | None) -> None:
    found = [LayerMatch(str(k), "Conv2d", "-", 1.0 if c == "x" else 0.0) for k, c in enumerate(lost)]
    layer = first_diverging(found, 0.5)
    assert (None if layer is None else int(layer.name)) == first


@pytest.mark.parametrize("target", BUILT_IN)
@pytest.mark.parametrize("precision", list(Precision))
def test_a_layer_with_other_weights_is_named(
    bundle: Path, tmp_path: Path, astronaut: np.ndarray, target: Target, precision: Precision
) -> None:
    files = model_files(read_manifest(bundle))
    found = [f for f in files if (f.name, f.target, f.precision) == ("perception", target, precision)]
    if not found:
        pytest.skip(f"{target.value} is not written in {precision.value}")
    feeds = Truth(Networks()).feeds("perception", SIZE, astronaut)
    assert locate(bundle, found[0], Networks(), feeds) is None
    tensors, metadata = load_tensors(SHIPPED_PERCEPTION)
    key = "coarse.encoder.blocks.5.project.weight"
    tensors[key] = tensors[key] * 1.5
    other = tmp_path / "other.safetensors"
    save_tensors(other, tensors, metadata)
    layer = locate(bundle, found[0], Networks(Checkpoints(perception=other)), feeds)
    assert layer is not None
    assert layer.name.endswith("coarse.encoder.blocks.5.project")
    assert layer.error > CLOSE[precision]
    assert "blocks.5.project (Conv2d)" in sentence(layer)


def test_a_failure_is_explained_with_the_photo_on_which_it_shows(
    bundle: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = model_files(read_manifest(bundle))[0]
    photos = [astronaut, np.zeros_like(astronaut), astronaut[::-1].copy()]
    same, wrong = (compare(np.full(4, v), np.zeros(4)) for v in (0.0, 0.5))
    row = judge(Link.FILE, subject_of(file), "mask", {0: same, 1: same, 2: wrong}, Tolerance("", max_abs=1e-4))
    seen = []

    def remember(root: Path, file: ModelFile, checkpoints: Checkpoints, feeds: Feeds) -> str:
        seen.append(feeds["rgb"])
        return "a cause"

    monkeypatch.setattr(explain_module, "cause_of", remember)
    (explained,) = explain_module.explain(bundle, [row], Truth(Networks()), photos)
    assert explained.note == "a cause"
    assert np.array_equal(seen[0], Truth(Networks()).feeds(file.name, file.size, photos[2])["rgb"])
