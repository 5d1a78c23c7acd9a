"""Bundles: what is written, and that a failed export leaves the old one."""

from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle.checksums import verify
from portraiture.export.bundle.goldens import INDEX, read_golden
from portraiture.export.bundle.manifest import MANIFEST, read_manifest
from portraiture.export.bundle.open import open_bundle
from portraiture.export.contract import MODELS, Size
from portraiture.export.describe import describe
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import file_path
from portraiture.export.pipeline.resize import mask_to_photo_size, nearest_size, to_model_size, to_photo_size
from portraiture.export.writing.in_place import replacing
from portraiture.reference.errors import InputError

SIZE = Size(128, 96)


def test_the_manifest_states_the_whole_contract(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    verify(bundle, manifest)
    assert len(manifest["models"]) == 4 * (2 + 2 + 2)
    for entry in manifest["models"]:
        assert (bundle / entry["path"]).exists()
        assert entry["op_count"] == sum(entry["ops"].values()) > 0
        contract = MODELS[entry["name"]]
        assert [t["name"] for t in entry["inputs"]] == [s.name for s in contract.inputs]
        assert [t["name"] for t in entry["outputs"]] == [s.name for s in contract.outputs]
        for tensor in entry["inputs"] + entry["outputs"]:
            assert {"shape", "dtype", "range", "layout", "meaning"} <= tensor.keys()
    assert {"pixel_centres", "shrink", "enlarge"} <= manifest["resize"].keys()


def test_goldens_are_plain_arrays_of_the_stated_shape(bundle: Path) -> None:
    import json

    index = json.loads((bundle / INDEX).read_text())
    rgb = read_golden(bundle, index, "rgb")
    assert (rgb.dtype, rgb.shape) == (np.uint8, (128, 96, 3))
    for name in ("filter_mask", "filter_depth"):
        values = read_golden(bundle, index, name)
        assert (values.dtype, values.shape) == (np.uint16, (128, 96))
        kept = read_golden(bundle, index, name.removeprefix("filter_"))
        np.testing.assert_allclose(values / 65535, kept, atol=1 / 65535)
    for name in ("mask", "depth", "portrait"):
        values = read_golden(bundle, index, name)
        assert (values.dtype, values.shape[:2]) == (np.float64, (128, 96))
        assert 0 <= values.min() < values.max() <= 1


def test_coreml_takes_an_eight_bit_image(bundle: Path) -> None:
    from portraiture.export.mil.interpreter import MilProgram
    from portraiture.export.mil.package import ImageFeature

    program = MilProgram.load(bundle / file_path("perception", Target.COREML, Precision.FP16, SIZE))
    assert isinstance(program.inputs["rgb"], ImageFeature)
    (rgb,) = describe("perception", Target.COREML, SIZE)["inputs"]
    assert rgb["range"] == [0, 255]


@pytest.mark.parametrize("target", [Target.TFLITE, Target.COREML])
def test_fp16_files_are_smaller(bundle: Path, target: Target) -> None:
    sizes = {m["precision"]: m["bytes"] for m in read_manifest(bundle)["models"]
             if m["name"] == "perception" and m["target"] == target.value}  # fmt: skip
    assert sizes["fp16"] < 0.65 * sizes["fp32"]


def test_a_failed_export_leaves_the_old_bundle(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    with replacing(folder) as first:
        (first / MANIFEST).write_text('{"files": {}}')

    def killed() -> None:
        with replacing(folder) as second:
            (second / MANIFEST).write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        killed()
    assert (folder / MANIFEST).read_text() == '{"files": {}}'
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]
    with replacing(folder) as third:
        (third / MANIFEST).write_text("new")
    assert (folder / MANIFEST).read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_folder_of_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="other files"), replacing(tmp_path):
        pass
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_find_explains_what_is_missing(bundle: Path, tmp_path: Path) -> None:
    assert {f.precision for f in open_bundle(bundle).find(Target.TFLITE)} == {Precision.FP32}
    with pytest.raises(InputError, match="make one with portraiture export"):
        open_bundle(tmp_path).find(Target.TFLITE)


@pytest.mark.parametrize("text", ["512", "512x", "100x100", "0x0", "4096x64", "-64x64", "ax32"])
def test_bad_sizes_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--size"):
        Size.parse(text)


def test_resizing_keeps_constants_and_half_pixel_centres() -> None:
    constant = np.full((77, 200, 3), 93, np.uint8)
    assert (to_model_size(constant, SIZE) == 93).all()
    ramp = np.arange(8, dtype=np.float32)[None].repeat(4, 0)
    # half-pixel: the first of two new pixels lies a quarter left of the old centre, clamped at the border
    np.testing.assert_allclose(to_photo_size(ramp, 8, 16)[0, :4], [0, 0.25, 0.75, 1.25], atol=1e-6)


def test_area_averaging_when_shrinking() -> None:
    checker = (np.indices((256, 192)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    small = to_model_size(checker, SIZE)
    assert np.abs(small.astype(int) - 127.5).max() <= 1


def test_the_orientation_follows_the_photo() -> None:
    sizes = (Size(512, 384), Size(384, 512))
    assert nearest_size(4000, 3000, sizes) == sizes[0]
    assert nearest_size(3000, 4000, sizes) == sizes[1]


def test_an_enlarged_mask_takes_the_photos_edge() -> None:
    y, x = np.mgrid[:192, :192]
    truth = x + 0.4 * y > 130  # an edge that small pixels cannot hold
    photo = np.where(truth[..., None], (200, 160, 140), (40, 80, 60)).astype(np.uint8)
    small = to_model_size(photo, Size(48, 48))
    mask = to_model_size(np.repeat(truth[..., None].astype(np.uint8) * 255, 3, 2), Size(48, 48))[..., 0] / np.float32(
        255
    )
    guided = mask_to_photo_size(mask, small, photo)
    plain = to_photo_size(mask, 192, 192)
    assert guided.dtype == np.float32
    assert guided.min() >= 0
    assert guided.max() <= 1
    assert np.abs(guided - truth).mean() < 0.5 * np.abs(plain - truth).mean()
    assert ((guided >= 0.5) == truth).mean() > 0.999
    assert mask_to_photo_size(mask, small, small) is not mask
    np.testing.assert_array_equal(mask_to_photo_size(mask, small, small), mask)


def test_an_enlarged_mask_of_nobody_is_empty() -> None:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (96, 80, 3)).astype(np.uint8)
    mask = np.full((32, 32), 1e-4, np.float32)
    assert not mask_to_photo_size(mask, to_model_size(photo, Size(32, 32)), photo).any()
