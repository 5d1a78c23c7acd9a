"""What the EXIF says of the lens, in photos written by Pillow."""

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from portraiture.reference.photo.camera import Camera, camera_of

F_NUMBER, FOCAL, FOCAL_35, WIDTH, HEIGHT = 0x829D, 0x920A, 0xA405, 0xA002, 0xA003
ACROSS, DOWN, UNIT = 0xA20E, 0xA20F, 0xA210
RATIONAL = TiffImagePlugin.IFDRational


def photo(path, tags):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769).update(tags)
    Image.fromarray(np.full((48, 64, 3), 128, np.uint8)).save(path, exif=exif)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_a_phone_says_it_all(tmp_path, name):
    found = camera_of(photo(tmp_path / name, {F_NUMBER: RATIONAL(178, 100), FOCAL: RATIONAL(686, 100), FOCAL_35: 24}))
    assert found == Camera(1.78, 6.86, 24.0, None)


@pytest.mark.parametrize(("unit", "per_unit"), [(2, 25.4), (3, 10.0), (4, 1.0), (None, 25.4)])
def test_the_sensor_follows_from_the_focal_plane(tmp_path, unit, per_unit):
    tags = {FOCAL: 50.0, WIDTH: 6000, HEIGHT: 4000, ACROSS: 6000 / 22.5 * per_unit, DOWN: 4000 / 15 * per_unit}
    found = camera_of(photo(tmp_path / "a.jpg", tags | ({} if unit is None else {UNIT: unit})))
    assert found.focal_mm == 50
    assert found.sensor_mm == pytest.approx((22.5, 15), rel=1e-4)


def test_zeros_and_fractions_of_nothing_say_nothing(tmp_path):
    tags = {F_NUMBER: RATIONAL(0, 0), FOCAL: RATIONAL(5, 0), FOCAL_35: 0, ACROSS: 0.0, WIDTH: 6000}
    assert camera_of(photo(tmp_path / "a.jpg", tags)) == Camera()


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0" + bytes(40)])
def test_a_photo_without_exif_or_with_a_broken_one_says_nothing(tmp_path, exif):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg", exif=exif)
    assert camera_of((tmp_path / "a.jpg").read_bytes()) == Camera()
