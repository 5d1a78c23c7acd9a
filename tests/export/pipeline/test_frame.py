"""Photos of other shapes: mirrored outwards, never stretched far, and their own part kept."""

import cv2
import numpy as np
import pytest

from portraiture.export.contract import Size
from portraiture.export.pipeline.maps import frame_of
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.runner import Feeds

PORTRAIT, LANDSCAPE = Size(512, 384), Size(384, 512)


@pytest.mark.parametrize(
    ("photo", "size", "frame"),
    [
        ((4000, 3000), PORTRAIT, (4000, 3000)),
        ((3000, 2000), PORTRAIT, (3000, 2000)),  # 3 : 2 is stretched by 1.125
        ((1600, 900), PORTRAIT, (1600, 1200)),
        ((900, 1600), LANDSCAPE, (1200, 1600)),
        ((1000, 1000), PORTRAIT, (1333, 1000)),
        ((1000, 3000), LANDSCAPE, (2250, 3000)),
        ((5, 100), LANDSCAPE, (75, 100)),  # mirrored several times
        ((1, 1), PORTRAIT, (1, 1)),
    ],
)
def test_the_frame_has_the_models_aspect(photo: tuple[int, int], size: Size, frame: tuple[int, int]) -> None:
    found = frame_of(*photo, size)
    assert (found.size.height, found.size.width) == frame


@pytest.mark.parametrize("shape", [(9, 40), (41, 8), (20, 15), (7, 7)])
def test_mirrored_as_numpy_does_and_kept_again(shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    frame = frame_of(*shape, PORTRAIT if shape[0] >= shape[1] else LANDSCAPE)
    mirrored = frame.mirror(rgb)
    assert mirrored.shape[:2] == (frame.size.height, frame.size.width)
    np.testing.assert_array_equal(frame.keep(mirrored), rgb)
    rows, columns = frame.size.height - shape[0], frame.size.width - shape[1]
    pads = [(rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0)]
    np.testing.assert_array_equal(mirrored, np.pad(rgb, pads, "reflect"))


def test_an_aperture_means_the_same_disk_in_the_photo() -> None:
    frame = frame_of(300, 900, LANDSCAPE)
    assert frame.aperture(0.016) * np.hypot(675, 900) == pytest.approx(0.016 * np.hypot(300, 900))
    assert frame_of(400, 300, PORTRAIT).aperture(0.016) == 0.016


class Bright:
    """Perception: bright is person. Filter: black, so that all blurred light is. Remembers the aperture."""

    def __init__(self, name: str, size: Size, seen: dict[str, object]) -> None:
        self.name, self.size, self.seen = name, size, seen

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        rgb = np.asarray(feeds["rgb"])
        assert rgb.shape[:2] == (self.size.height, self.size.width)
        mask = (rgb[..., 0] > 0.5).astype(np.float32)
        self.seen.update({k: v for k, v in feeds.items() if k == "aperture"})
        if self.name == "perception":
            return {"mask": mask, "depth": 1 - 0.9 * mask}
        return {"portrait": rgb * mask[..., None], "mask": mask, "depth": 1 - 0.9 * mask}


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("shape", [(96, 288), (288, 96), (96, 96)])
def test_what_is_far_from_the_models_shape_keeps_its_proportions(shape: tuple[int, int], fused: bool) -> None:
    seen: dict[str, object] = {}
    small = Size(64, 48), Size(48, 64)
    pipeline = Pipeline(lambda name, size: Bright(name, size, seen), small)
    rgb = np.full((*shape, 3), 40, np.uint8)
    y, x = np.mgrid[: shape[0], : shape[1]]
    disk = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < 30**2
    rgb[disk] = 220
    maps = pipeline.perceive(rgb)
    assert maps.mask.shape == shape
    _, labels, boxes, _ = cv2.connectedComponentsWithStats((maps.model_mask > 0).astype(np.uint8))
    middle = boxes[labels[labels.shape[0] // 2, labels.shape[1] // 2]]
    # a disk remains one in what the model sees
    assert abs(int(middle[cv2.CC_STAT_WIDTH]) - int(middle[cv2.CC_STAT_HEIGHT])) <= 1
    assert ((maps.mask > 0.5) == disk).mean() > 0.97
    portrait = pipeline.render_fused(rgb, 0.04) if fused else pipeline.render(rgb, maps, 0.04)
    assert portrait.shape == rgb.shape
    assert seen["aperture"] == pytest.approx(maps.frame.aperture(0.04))
    assert np.abs(portrait[disk & (maps.mask == 1)] * 255 - 220).max() < 1  # the person is sharp
    assert portrait[~disk & (maps.mask == 0)].mean() < 0.08  # the background is the filter's


class Same:
    """segmentation_spn: gives the coarse mask back, and checks that photo and mask lie alike."""

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        rgb, given = np.asarray(feeds["rgb"]), np.asarray(feeds["coarse_mask"])
        assert given.shape == rgb.shape[:2]
        assert given.dtype == np.float32
        assert np.abs(given - (rgb[..., 0] > 0.5)).mean() < 0.03
        return {"mask": given}


@pytest.mark.parametrize("shape", [(96, 288), (288, 96), (64, 48)])
def test_an_apps_mask_is_mirrored_with_its_photo_and_kept(shape: tuple[int, int]) -> None:
    opened = []

    def open_model(name: str, size: Size) -> Same:
        opened.append((name, size))
        return Same()

    y, x = np.mgrid[: shape[0], : shape[1]]
    disk = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < 20**2
    rgb = np.where(disk[..., None], 220, 40).astype(np.uint8).repeat(3, 2)
    refined = Pipeline(open_model, (Size(64, 48), Size(48, 64))).refine(rgb, disk.astype(np.float64))
    assert opened == [("segmentation_spn", Size(48, 64) if shape[1] > shape[0] else Size(64, 48))]
    assert refined.shape == shape
    assert ((refined > 0.5) == disk).mean() > 0.98
