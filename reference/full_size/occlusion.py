"""``compositing="occlusion"`` for large photos: blurred at the working size, composed with the photo's own detail.

With k the share of light that was blurred, I the photo, a its matte and F its foreground colour, all in linear light:
    person sharp:    out = (1 - k) I + k (a F + (1 - a) B + R),    B, k: what is behind the person
    person blurred:  out = P + (1 - k) (I - low(I)),               P, k: the whole picture
B, P, R and k are enlarged from the working size. R = P - (a F + (1 - a) B) there: what the layers lack of the photo,
see ``occlusion``. low(I) is the photo that went there and back.
"""

from collections.abc import Iterator

import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, largest_code
from portraiture.reference.enlarge import enlarge_rows, fit_matte, full_matte, strips_of
from portraiture.reference.full_size.strips import Strip, light_of_codes
from portraiture.reference.lens.radii import image_diagonal_px
from portraiture.reference.matting.foreground import estimate_foreground
from portraiture.reference.occlusion.grain import add_grain, noise_sigma
from portraiture.reference.occlusion.render import noise_left, render_linear
from portraiture.reference.plan import Plan
from portraiture.reference.settings import RenderSettings
from portraiture.reference.srgb import to_linear, to_srgb

SOLID = 0.99
"""Where the matte is this or more, the person's own pixel is shown, not an estimate. Chosen, not measured."""


NOISE_PX = 2048
"""Side of the window around the photo's middle in which noise is measured, in pixels. Chosen, not measured."""


def occlusion_strips(rgb: AnyArray, small: Floats, plan: Plan, settings: RenderSettings) -> Iterator[Strip]:
    """The portrait strip by strip. It trusts the plan.

    Args:
        rgb: HxWx3 uint8 or uint16.
        small: hxwx3 float64 in 0..1, the photo at the working size.
        plan: of ``small``.
        settings: with ``compositing`` OCCLUSION; the options of the lens are used.
    """
    linear = to_linear(small)
    foreground = estimate_foreground(linear, plan.alpha)
    nearer_px = plan.lens.radii_px[: plan.lens.person_layer]
    sharp_person = plan.lens.person_radius_px <= 1 and bool((nearer_px <= 1).all())
    arguments = (linear, plan.alpha, plan.labels, plan.lens, settings, foreground)
    picture, share = render_linear(*arguments)
    if sharp_person:
        behind, share = render_linear(*arguments, with_person=False)
        a = plan.alpha[..., None]
        lacking = picture - (a * foreground + (1 - a) * behind)
        lacking[(plan.alpha == 0) | (plan.alpha == 1)] = 0
        strips = _around_person(rgb, small, _float32(behind, foreground, lacking, share), plan)
    else:
        strips = _with_detail(rgb, _float32(picture, linear, share))
    return _grained(rgb, strips, plan, settings) if settings.grain else strips


def _float32(*maps: Floats) -> AnyArray:
    """One hxwxC stack."""
    return np.dstack(maps).astype(np.float32)


def _around_person(rgb: AnyArray, small: Floats, maps: AnyArray, plan: Plan) -> Iterator[Strip]:
    shape = rgb.shape[0], rgb.shape[1]
    alpha = full_matte(rgb, fit_matte(small, plan.alpha))
    light = light_of_codes(rgb, linear=True)
    for start, stop in strips_of(shape[0]):
        wide = enlarge_rows(maps, start, stop, shape)
        behind, estimate, lacking, k = wide[..., :3], wide[..., 3:6], wide[..., 6:9], _snapped(wide[..., 9])[..., None]
        own, a = light[rgb[start:stop]], alpha[start:stop, :, None]
        foreground = np.where(a >= SOLID, own, estimate)
        out = (1 - k) * own + k * (a * foreground + (1 - a) * behind + np.where(a < 1, lacking, 0))
        yield start, stop, to_srgb(out), k[..., 0] * (1 - a[..., 0])


def _with_detail(rgb: AnyArray, maps: AnyArray) -> Iterator[Strip]:
    shape = rgb.shape[0], rgb.shape[1]
    light = light_of_codes(rgb, linear=True)
    for start, stop in strips_of(shape[0]):
        wide = enlarge_rows(maps, start, stop, shape)
        picture, low, k = wide[..., :3], wide[..., 3:6], _snapped(wide[..., 6])[..., None]
        yield start, stop, to_srgb(picture + (1 - k) * (light[rgb[start:stop]] - low)), k[..., 0]


def _snapped(share: AnyArray) -> AnyArray:
    """A share of less than half a code counts as 0: no 8-bit picture shows it."""
    return np.where(share < 1 / 512, np.float32(0), np.minimum(share, np.float32(1)))


def _grained(rgb: AnyArray, strips: Iterator[Strip], plan: Plan, settings: RenderSettings) -> Iterator[Strip]:
    height, width = rgb.shape[:2]
    top, left = max(0, (height - NOISE_PX) // 2), max(0, (width - NOISE_PX) // 2)
    window = rgb[top : top + NOISE_PX, left : left + NOISE_PX] / float(largest_code(rgb))
    person = enlarge_rows(plan.alpha, top, min(top + NOISE_PX, height), (height, width))[:, left : left + NOISE_PX]
    sigma = noise_sigma(window, person == 1)
    radii_px = plan.lens.radii_px / image_diagonal_px(plan.alpha.shape) * image_diagonal_px((height, width))
    remains = noise_left(plan.labels, radii_px, settings.blades)
    for start, stop, picture, share in strips:
        energy = enlarge_rows(remains, start, stop, (height, width))
        noisy = add_grain(picture.astype(np.float64), share.astype(np.float64), sigma, energy, settings.seed + start)
        yield start, stop, noisy, share
