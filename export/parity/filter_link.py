"""The second link of parity: the RNN filter against the CRF reference, on the same maps."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from portraiture.export.compare import Difference, compare, compare_change
from portraiture.export.contract import DEFAULT_SIZE, FilterLook, Size
from portraiture.export.networks.build import Checkpoints
from portraiture.export.parity.rows import Comparison, Link, Row, Watch, judge, unwatched
from portraiture.export.parity.subjects import Subject
from portraiture.export.pipeline.resize import nearest_size
from portraiture.export.pipeline.truth import Truth
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import FILTER_GAIN, GAIN_BELOW_DB, filter_tolerance
from portraiture.reference.arrays import person_pixels
from portraiture.reference.lens.radii import APERTURE_PAPER

if TYPE_CHECKING:
    from portraiture.reference.settings import RenderSettings

GAIN = "gain over the photo itself"

LENS_SMALL = Tolerance(
    "the lens look is laid at half the size: at 128x96, where disks have 1 to 3 pixels, the sample photo has 29.6 dB",
    min_psnr_db=27.0,
)
"""Second link of the lens look below the size that ships."""

LENS_SMALL_GAIN = Tolerance("the sample photo gains 7.2 dB at 128x96", min_psnr_db=5.0)
"""In units of what the reference changes of the photo."""


def photos_for_size(photos: list[np.ndarray], size: Size, sizes: list[Size]) -> dict[int, np.ndarray]:
    """The photos by index that a pipeline of several sizes would bring to this size; all photos where there is none.

    Args:
        photos: HxWx3 uint8.
        size: one of the sizes, height and width in pixels.
        sizes: all sizes of the bundle.
    """
    found = {k: p for k, p in enumerate(photos) if nearest_size(p.shape[0], p.shape[1], sizes) == size}
    return found or dict(enumerate(photos))


def reference_settings(checkpoints: Checkpoints, aperture: float) -> "RenderSettings":
    """How the reference draws what a filter of a look draws, with the focus on the person.

    Args:
        checkpoints: whose look and iris count.
        aperture: largest radius as a share of the diagonal.
    """
    from portraiture.reference.occlusion.highlights import GAIN as HIGHLIGHTS
    from portraiture.reference.settings import Compositing, RenderSettings

    if checkpoints.look is FilterLook.PAPER:
        return RenderSettings(aperture=aperture)
    blades, turn = checkpoints.blades, checkpoints.rotation_deg
    return RenderSettings(
        aperture=aperture, compositing=Compositing.OCCLUSION, highlights=HIGHLIGHTS, blades=blades, rotation_deg=turn
    )


def filter_rows(
    truth: Truth, size: Size, photos: Mapping[int, np.ndarray], watch: Watch = unwatched, known: bool = False
) -> Iterator[Row]:
    """Second link: the float64 filter against the CRF reference on the same maps. A photo without a person is left out.

    Args:
        truth: the float64 networks.
        size: of the filter, height and width in pixels.
        photos: HxWx3 uint8 by index.
        watch: called with each comparison.
        known: these are the shipped weights and the sample photo, of which the figure was measured.
    """
    from portraiture.reference.render import render

    found, gains = dict[int, Difference](), dict[int, Difference]()
    subject, gate = Subject(f"filter torch fp64 {size}"), filter_tolerance(size, known, truth.look)
    gain = FILTER_GAIN
    if truth.look is FilterLook.LENS and size.height * size.width < DEFAULT_SIZE.height * DEFAULT_SIZE.width:
        gate, gain = LENS_SMALL, LENS_SMALL_GAIN
    for index, photo in photos.items():
        pipeline = truth.pipeline(size)
        maps = pipeline.perceive(photo)
        mask, depth = (np.asarray(m, dtype=np.float64) for m in (maps.model_mask, maps.model_depth))
        if not person_pixels(mask).any():
            continue
        settings = reference_settings(truth.networks.checkpoints, maps.frame.aperture(APERTURE_PAPER))
        expected = render(maps.model_rgb / 255, mask, depth, settings)
        picture = pipeline.filter(maps, APERTURE_PAPER)
        found[index] = compare(picture, expected)
        itself = maps.model_rgb / 255
        if compare(itself, expected).psnr_db < GAIN_BELOW_DB:
            gains[index] = compare_change(picture, expected, itself, itself)
        watch(Comparison(Link.FILTER, subject, "portrait", index, picture, expected, found[index], gate))
    if not found:
        yield Row.not_run(Link.FILTER, subject, "no photo with a person", "portrait", gate)
        return
    yield judge(Link.FILTER, subject, "portrait", found, gate)
    if gains:
        yield judge(Link.FILTER, subject, GAIN, gains, gain)
    else:
        yield Row.not_run(Link.FILTER, subject, "the reference hardly blurs at this size", GAIN, gain)
