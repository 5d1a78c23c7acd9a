"""A lens in its own units: f-number, focal length and sensor, and the circle that a point out of focus becomes.

A thin lens of focal length f and aperture f / N, focused at the distance s0, images a point at the distance s as a
disk of the diameter (e.g. Ray, "Applied Photographic Optics", 3rd ed. 2002, chapter 22, with the disk on the sensor)

    c(s) = f^2 / (N (s0 - f)) * |s - s0| / s = f^2 s0 / (N (s0 - f)) * |1 / s0 - 1 / s|

so that the blur is linear in the inverse distance 1 / s, and at most f^2 / (N (s0 - f)) behind the focus.
"""

import math
from dataclasses import dataclass

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens.radii import image_diagonal_px

DIAGONAL_35_MM = math.hypot(36, 24)
"""Diagonal of a 35 mm film's frame in mm. A focal length "in 35 mm film" (Exif 2.32, tag 0xA405) has the photo's angle
of view across the diagonal."""

F_NUMBERS, FOCAL_LENGTHS_MM, SENSOR_SIDES_MM, DISTANCES_M = (0.5, 128.0), (1.0, 2000.0), (1.0, 200.0), (0.1, 1000.0)
"""What is taken. No lens in air has less than f/0.5; the other ends are chosen, beyond what cameras are made with."""


@dataclass(frozen=True)
class ThinLens:
    """A lens before a sensor.

    Attributes:
        f_number: N, 0.5 to 128.
        focal_mm: f in mm, 1 to 2000; the equivalent of 35 mm film where ``sensor_mm`` is None.
        sensor_mm: width and height of the sensor in mm; None: 35 mm film, by its diagonal.
    """

    f_number: float
    focal_mm: float
    sensor_mm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Raises OptionError where a value is out of range."""
        check_range("--f-number", self.f_number, F_NUMBERS, "1.8")
        check_range("--focal-length", self.focal_mm, FOCAL_LENGTHS_MM, "85")
        for side in self.sensor_mm or ():
            check_range("--sensor", side, SENSOR_SIDES_MM, "36x24")

    def diagonal_mm(self, shape: tuple[int, ...]) -> float:
        """Diagonal on the sensor of a photo (H, W, ...): the largest rectangle of its shape, upright or not."""
        if self.sensor_mm is None:
            return DIAGONAL_35_MM
        long_px, short_px = max(shape[:2]), min(shape[:2])
        pitch_mm = min(max(self.sensor_mm) / long_px, min(self.sensor_mm) / short_px)
        return pitch_mm * image_diagonal_px(shape)

    def focal_px(self, shape: tuple[int, ...]) -> float:
        """The focal length in pixels of a photo of shape (H, W, ...)."""
        return self.focal_mm / self.diagonal_mm(shape) * image_diagonal_px(shape)

    def circle_mm(self, inverse: float, focus_m: float) -> float:
        """Diameter c of the blur in mm.

        Args:
            inverse: 1 / s, the inverse distance of the point in 1/m; 0 is infinity.
            focus_m: s0 in m, beyond the focal length.

        Raises:
            InputError: the focus is within the focal length: no image of it is formed.
        """
        focal_m = self.focal_mm / 1000
        if focus_m <= focal_m:
            found = f"{focus_m:.3g} m with a focal length of {self.focal_mm:g} mm"
            raise InputError(f"expected the focus beyond the focal length, found {found}; give --distance in metres")
        return 1000 * focal_m**2 * focus_m / (self.f_number * (focus_m - focal_m)) * abs(1 / focus_m - inverse)

    def radius_share(self, inverse: float, focus_m: float, shape: tuple[int, ...]) -> float:
        """Radius of the blur as a share of the diagonal of a photo: what an ``aperture`` is.

        Args:
            inverse, focus_m: as in ``circle_mm``.
            shape: (H, W, ...) of the photo.
        """
        return self.circle_mm(inverse, focus_m) / 2 / self.diagonal_mm(shape)


def check_range(option: str, value: float, allowed: tuple[float, float], example: str) -> None:
    """Raise where a value of the lens is not finite or out of its range.

    Args:
        option: its name.
        value: what came.
        allowed: least and largest.
        example: a usual value, for the message.

    Raises:
        OptionError: the value is not allowed.
    """
    if not allowed[0] <= value <= allowed[1]:  # NaN fails
        raise OptionError(f"{option}: expected {allowed[0]:g} to {allowed[1]:g}, found {value:g}; try {example}")
