"""The models for an app's own coarse maps: what they take counts, and every target computes the same."""

from pathlib import Path

import numpy as np
import pytest
import torch

from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Networks
from portraiture.export.networks.wrappers import SPN_TASKS
from portraiture.export.pipeline.truth import Truth
from portraiture.export.targets import open_file
from portraiture.export.tolerances import file_tolerance
from portraiture.export.writing.models import write_models
from portraiture.export.writing.spec import BundleSpec

SIZE = Size(64, 96)
NAMES = tuple(SPN_TASKS)


@pytest.fixture(scope="module")
def spn_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ModelFile]]:
    """A folder of both models in every target, float32."""
    root = tmp_path_factory.mktemp("spn")
    spec = BundleSpec(NAMES, BUILT_IN, precisions=(Precision.FP32,), sizes=(SIZE,))
    write_models(spec, root, Truth(Networks()), processes=1)
    return root, spec.files()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", BUILT_IN)
def test_every_target_agrees_with_float64(
    spn_files: tuple[Path, list[ModelFile]], astronaut: np.ndarray, name: str, target: Target
) -> None:
    root, all_files = spn_files
    (file,) = (f for f in all_files if f.name == name and f.target is target)
    truth = Truth(Networks())
    feeds = truth.feeds(name, SIZE, astronaut)
    expected = truth.outputs(name, SIZE, feeds)
    found = open_file(root, file).run(feeds)
    assert list(found) == list(expected)
    for output, value in expected.items():
        assert file_tolerance(name, target, Precision.FP32, output).passes(compare(found[output], value))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_with_the_networks_own_coarse_map_it_is_perception(astronaut: np.ndarray, name: str) -> None:
    truth = Truth(Networks())
    size = Size(512, 384)
    feeds = truth.feeds(name, size, astronaut)
    (output,) = truth.outputs(name, size, feeds)
    refined = truth.outputs(name, size, feeds)[output]
    whole = truth.outputs("perception", size, {"rgb": feeds["rgb"]})[output]
    # the coarse map comes enlarged and is averaged back to 1/8, which smooths it a little
    assert compare(refined, whole).mean_abs < 0.01


def test_another_coarse_mask_gives_another_mask(astronaut: np.ndarray) -> None:
    size = Size(128, 96)
    feeds = Truth(Networks()).feeds("segmentation_spn", size, astronaut)
    runner = Networks().runner("segmentation_spn", size, torch.float64)
    with_person = runner.run(feeds)["mask"]
    nobody = runner.run({**feeds, "coarse_mask": np.zeros((128, 96), np.float32)})["mask"]
    assert np.isfinite(nobody).all()
    assert nobody.mean() < 0.5 * with_person.mean()
