"""MediaPipe Tasks' ImageSegmenter opens the perception file: its mask and its label, not the depth.

MediaPipe's pins clash with ours, so it has an environment of its own, which ``make test-apps`` makes.
"""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import file_path
from portraiture.export.sample_photo import sample_photo
from portraiture.export.tflite.runner import TfliteRunner
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / "build" / "mediapipe" / "bin" / "python"
SIZE = Size(256, 192)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mediapipe") / "bundle"
    spec = BundleSpec(("perception",), (Target.TFLITE,), (Precision.FP32, Precision.FP16), (SIZE,))
    export_bundle(spec, root, gate=False)
    return root


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
def test_image_segmenter_gives_the_mask_and_its_label(files: Path, tmp_path: Path, precision: Precision) -> None:
    if not PYTHON.exists():
        pytest.skip("MediaPipe was not tested: expected it in build/mediapipe, found none; run make test-apps")
    photo = np.asarray(Image.fromarray(sample_photo()[:, :384]).resize((SIZE.width, SIZE.height)))
    Image.fromarray(photo).save(tmp_path / "photo.png")
    path = files / file_path("perception", Target.TFLITE, precision, SIZE)
    run = [PYTHON, HERE / "mediapipe_masks.py", path, tmp_path / "photo.png", "-o", tmp_path / "out.npz"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "out.npz")
    ours = TfliteRunner(path, "perception", SIZE).run({"rgb": photo.astype(np.float32) / 255})
    mask = np.squeeze(ours["mask"])
    assert found["labels"].tolist() == ["person"]
    assert found["masks"].shape == (1, *mask.shape)
    np.testing.assert_allclose(found["masks"][0], mask, atol=0.02)  # its own road to the file's size
    assert np.abs(found["masks"][0] - np.squeeze(ours["depth"])).mean() > 0.1
    sure = np.abs(mask - 0.5) > 0.02
    np.testing.assert_array_equal(found["categories"][sure] == 0, mask[sure] > 0.5)  # the first label's number
    assert "No activation type" not in done.stderr
