"""From a lens in its own units to what the renderers take: an aperture, and a depth that is linear in 1 / distance.

Both renderers know radii that are linear in depth, and a thin lens' blur is linear in 1 / distance: they are given that
as the depth (``reference/lens/metres.py``), and as the aperture the lens' blur at the farthest layer. So both draw the
thin lens' disks at every depth behind the focus. In front of it only the CRF renderer with ``--compositing occlusion``
blurs. A selfie has one disk for all that is behind the person, as without a lens: the farthest layer's.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens import LEARNT_APERTURE
from portraiture.reference.lens.metres import LensDepth, lens_depth, mean_inverse, relative_inverse
from portraiture.reference.lens.person_size import person_size
from portraiture.reference.lens.selfie import fills_the_frame
from portraiture.reference.lens.thin_lens import DISTANCES_M, ThinLens
from portraiture.reference.paper.layers import depth_layers
from portraiture.reference.photo.camera import camera_of
from portraiture.reference.settings import MAX_APERTURE, Compositing, Mode, RenderSettings
from portraiture.tools.lens_choice import LensChoice, lens_of
from portraiture.tools.portraits import Look, is_person_there
from portraiture.tools.progress import note

if TYPE_CHECKING:
    import numpy as np

    from portraiture.export.pipeline.maps import Maps

FAR_M = 100.0
"""What is farther is said to be "beyond 100 m": the depth does not tell more."""


@dataclass(frozen=True)
class LensLook:
    """A photo through a lens.

    Attributes:
        look: for the renderer, in the depth of ``maps``.
        maps: with the depth for the lens.
        said: what was found and chosen, one line.
        warning: one line where the renderer's range ends below what the lens asks for; else None.
    """

    look: Look
    maps: "Maps"
    said: str
    warning: str | None


def look_through(
    photo: Path,
    data: bytes,
    maps: "Maps",
    choice: LensChoice,
    focus: float | None,
    mask_given: bool,
    settings: RenderSettings | None,
) -> tuple[Look, "Maps"]:
    """What a renderer gets for a photo through the lens of the options; prints distances and aperture.

    Args:
        photo: the file, for messages.
        data: its content, for its EXIF; empty of one that says nothing.
        maps: of the photo.
        choice: of the options.
        focus: depth that stays sharp; None is the person's.
        mask_given: the user gave the mask.
        settings: of the CRF renderer; None is the RNN filter.

    Raises:
        InputError: neither options nor EXIF name the lens, or the person's distance cannot be told.
    """
    try:
        lens = lens_of(choice, camera_of(data))
        nobody = focus is not None and not is_person_there(maps, mask_given)
        found = through_lens(maps, lens, choice.distance_m, focus, nobody, settings)
    except (InputError, OptionError) as error:
        raise InputError(f"{photo}: {error}") from None
    click.echo(f"{photo}: {found.said}")
    if found.warning:
        note(f"{photo}: {found.warning}")
    return found.look, found.maps


def through_lens(
    maps: "Maps",
    lens: ThinLens,
    distance_m: float | None,
    focus: float | None,
    nobody: bool,
    settings: RenderSettings | None,
) -> LensLook:
    """What the lens makes of a photo.

    Args:
        maps: of the photo.
        lens: before the photo's sensor.
        distance_m: to the person, or of what is sharp in a photo of nobody; None measures the person.
        focus: depth that stays sharp; None is the person's.
        nobody: the photo shows no person.
        settings: of the CRF renderer; None is the RNN filter.

    Raises:
        InputError: nobody's distance can be told, or it is out of range.
    """
    shape = maps.mask.shape
    mask, depth = maps.model_mask.astype(float), maps.model_depth.astype(float)
    if nobody and (distance_m is None or focus is None):
        raise InputError("expected a person to measure the distance by, found none; give --distance in metres")
    if distance_m is None:
        size = person_size(maps.mask)
        person_m = size.distance_m(lens.focal_px(shape), shape[0])
        part = "a whole body" if size.whole else "shoulders"
        how = f"{part} of {size.size_m:g} m on {100 * size.share:.0f} % of the height"
        if not DISTANCES_M[0] <= person_m <= DISTANCES_M[1]:
            raise InputError(f"expected a person {_range()}, found {person_m:.3g} m by {how}; give --distance")
    else:
        person_m, how = distance_m, "given"
    known = float(relative_inverse(focus)) if nobody and focus is not None else mean_inverse(mask, depth)
    scale = lens_depth(depth, known, person_m)
    sharp_m = person_m if focus is None or nobody else 1 / float(scale.inverse(focus))
    sharp = float(scale.of(focus)) if focus is not None else (scale.offset - 1 / person_m) * scale.gain
    layers = depth_layers(scale.of(depth)).centres
    both_sides = settings is not None and settings.compositing is Compositing.OCCLUSION
    full = float(layers[0]) if both_sides and sharp - layers[0] > layers[-1] - sharp else float(layers[-1])
    asked = lens.radius_share(scale.inverse_of(full), sharp_m, shape)
    if full < sharp and not both_sides:
        asked = 0.0  # all that is behind the focus is in focus
    most = LEARNT_APERTURE if settings is None else MAX_APERTURE
    aperture = min(asked, most)
    look = Look(aperture, None if focus is None else sharp, full)
    if both_sides and focus is None and not _is_selfie(maps.mask, settings):
        look = replace(look, focus=sharp)  # nothing in front of a person is blurred unless a focus is chosen
    said = (
        f"f/{lens.f_number:g} at {_focal(lens)}: {'sharp' if nobody else 'the person'} at {person_m:.2f} m ({how}),"
        f" {'' if focus is None or nobody else f'sharp {_metres(1 / sharp_m)}, '}"
        f"background {_metres(scale.inverse_of(float(layers[-1])))}; aperture {aperture:.4f} of the diagonal"
    )
    return LensLook(look, _lens_maps(maps, scale), said, _warning(asked, most, settings))


def _is_selfie(mask: "np.ndarray", settings: RenderSettings | None) -> bool:
    mode = Mode.AUTO if settings is None else settings.mode
    return mode is Mode.SELFIE or (mode is Mode.AUTO and fills_the_frame(mask))


def _lens_maps(maps: "Maps", scale: LensDepth) -> "Maps":
    return replace(
        maps,
        depth=scale.of(maps.depth).astype(maps.depth.dtype),
        model_depth=scale.of(maps.model_depth).astype(maps.model_depth.dtype),
    )


def _warning(asked: float, most: float, settings: RenderSettings | None) -> str | None:
    if asked <= most:
        return None
    who = "the RNN filter's range ends" if settings is None else "the CRF renderer's range ends"
    remedy = "; --renderer crf goes farther" if settings is None else "; choose a smaller lens"
    return f"the lens asks for {asked:.4f} of the diagonal, {who} at {most:g}, which is used{remedy}"


def _focal(lens: ThinLens) -> str:
    if lens.sensor_mm is None:
        return f"{lens.focal_mm:g} mm (35 mm film)"
    width, height = lens.sensor_mm
    return f"{lens.focal_mm:g} mm ({width:.4g}x{height:.4g} mm)"


def _metres(inverse: float) -> str:
    return f"at {1 / inverse:.2f} m" if inverse * FAR_M >= 1 else f"beyond {FAR_M:g} m"


def _range() -> str:
    return f"{DISTANCES_M[0]:g} to {DISTANCES_M[1]:g} m away"
