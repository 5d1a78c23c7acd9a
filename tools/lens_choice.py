"""What the user says of a lens by the options of ``render``, and what the photo's EXIF says where the user does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from portraiture.tools.choices import lens_options_given

if TYPE_CHECKING:
    from portraiture.reference.lens.thin_lens import ThinLens
    from portraiture.reference.photo.camera import Camera


@dataclass(frozen=True)
class LensChoice:
    """What the user said of the lens; None where nothing was said.

    Attributes:
        f_number: N.
        focal_mm: focal length in mm, the equivalent of 35 mm film where there is no sensor.
        sensor_mm: width and height.
        distance_m: from the lens to the person.
    """

    f_number: float | None
    focal_mm: float | None
    sensor_mm: tuple[float, float] | None
    distance_m: float | None


def lens_choice(context: click.Context) -> LensChoice:
    """What the options say, of which one at least is given.

    Raises:
        OptionError: ``--aperture`` beside them, or a value that cannot be.
    """
    given = lens_options_given(context)
    from portraiture.reference.errors import OptionError
    from portraiture.reference.lens.thin_lens import DISTANCES_M, ThinLens, check_range

    if context.get_parameter_source("aperture") is not click.core.ParameterSource.DEFAULT:
        raise OptionError(f"--aperture: expected it alone, found {', '.join(given)} as well; drop it or them")
    params: Mapping[str, Any] = context.params
    choice = LensChoice(params["f_number"], params["focal_length"], _sensor(params["sensor"]), params["distance"])
    ThinLens(_or(choice.f_number, 1.8), _or(choice.focal_mm, 85), choice.sensor_mm)  # it checks what is given
    if choice.distance_m is not None:
        check_range("--distance", choice.distance_m, DISTANCES_M, "2.0")
    return choice


def lens_of(choice: LensChoice, camera: "Camera") -> "ThinLens":
    """The lens that the user asks for, and what the photo's EXIF says where the user says nothing.

    A focal length without a sensor is the equivalent of 35 mm film. The EXIF gives that equivalent, or else the real
    focal length and the size of the sensor.

    Raises:
        InputError: neither says it.
        OptionError: what the EXIF says cannot be.
    """
    from portraiture.reference.errors import InputError
    from portraiture.reference.lens.thin_lens import ThinLens

    f_number = _or(choice.f_number, camera.f_number)
    if f_number is None:
        raise InputError("--f-number: expected one, found none in the photo's EXIF either; give it, such as 1.8")
    if choice.focal_mm is not None:
        return ThinLens(f_number, choice.focal_mm, choice.sensor_mm)
    if choice.sensor_mm is None and camera.focal_35_mm is not None:
        return ThinLens(f_number, camera.focal_35_mm)
    sensor_mm = choice.sensor_mm or camera.sensor_mm
    if camera.focal_mm is not None and sensor_mm is not None:
        return ThinLens(f_number, camera.focal_mm, sensor_mm)
    lacking = "with its sensor " if camera.focal_mm is not None else ""
    raise InputError(
        f"--focal-length: expected one, found none {lacking}in the photo's EXIF either; give the equivalent of 35 mm"
        " film, such as 85, or the real one with --sensor"
    )


def _or(value: float | None, other: Any) -> Any:
    return other if value is None else value


def _sensor(text: str | None) -> tuple[float, float] | None:
    from portraiture.reference.errors import OptionError

    if text is None:
        return None
    try:
        width, height = (float(side) for side in text.lower().split("x"))
    except ValueError:
        raise OptionError(
            f"--sensor: expected WIDTHxHEIGHT in mm, found {text!r}; give two numbers, such as 22.5x15"
        ) from None
    return width, height
