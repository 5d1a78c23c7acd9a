"""The lens that a photo was taken with, as far as its EXIF says."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from portraiture.reference.photo.kinds import DAMAGE
from portraiture.reference.photo.read import opened

_BASE = ExifTags.Base

_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""Values of FocalPlaneResolutionUnit (Exif 2.32 has 2 and 3; cameras write 4 and 5 as well)."""


@dataclass(frozen=True)
class Camera:
    """What the EXIF says of the lens; None where it says nothing, or nothing that can be.

    Attributes:
        f_number: N.
        focal_mm: the focal length.
        focal_35_mm: its equivalent of 35 mm film.
        sensor_mm: width and height of the sensor, by the resolution of the focal plane.
    """

    f_number: float | None = None
    focal_mm: float | None = None
    focal_35_mm: float | None = None
    sensor_mm: tuple[float, float] | None = None


def camera_of(data: bytes) -> Camera:
    """Reads the EXIF of a photo's whole file, one that ``read_photo`` reads; a broken or missing one says nothing."""
    if not data:
        return Camera()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd tags
            with opened(data) as image:
                taken = image.getexif().get_ifd(ExifTags.IFD.Exif)
    except (*DAMAGE, Image.DecompressionBombError):
        return Camera()
    return Camera(
        _positive(taken, _BASE.FNumber),
        _positive(taken, _BASE.FocalLength),
        _positive(taken, _BASE.FocalLengthIn35mmFilm),
        _sensor(taken),
    )


def _sensor(taken: Mapping[int, Any]) -> tuple[float, float] | None:
    """Pixels divided by pixels per unit of the focal plane."""
    mm = _MM_PER_UNIT.get(taken.get(_BASE.FocalPlaneResolutionUnit, 2))
    tags = (_BASE.ExifImageWidth, _BASE.FocalPlaneXResolution, _BASE.ExifImageHeight, _BASE.FocalPlaneYResolution)
    width_px, across, height_px, down = (_positive(taken, tag) for tag in tags)
    if not (mm and width_px and across and height_px and down):
        return None
    return mm * width_px / across, mm * height_px / down


def _positive(taken: Mapping[int, Any], tag: int) -> float | None:
    """A number above 0; cameras write 0 for what they do not know."""
    try:
        value = float(taken.get(tag, 0))
    except (*DAMAGE, ZeroDivisionError):
        return None
    return value if math.isfinite(value) and value > 0 else None
