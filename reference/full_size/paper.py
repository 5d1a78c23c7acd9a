"""Equation (10) at any size: each layer blurred at a reduced size, strip by strip."""

from collections.abc import Iterator

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Floats
from portraiture.reference.enlarge import STRIP_ROWS, enlarge_rows, fit_matte, full_matte, strips_of
from portraiture.reference.full_size.strips import Strip, light_of_codes
from portraiture.reference.lens.radii import image_diagonal_px
from portraiture.reference.paper.disk import disk_kernel, weighted_sums
from portraiture.reference.paper.full_body import FEATHER_SHARE, layer_weights
from portraiture.reference.paper.guided import MIN_BACKGROUND
from portraiture.reference.plan import Plan
from portraiture.reference.settings import RenderSettings
from portraiture.reference.srgb import to_srgb

BASE_RADIUS_PX = 8
"""A layer is blurred on a photo reduced until its radius is less than twice this; chosen, not measured."""


def paper_strips(rgb: AnyArray, small: Floats, plan: Plan, settings: RenderSettings) -> Iterator[Strip]:
    """Equation (10) strip by strip; (4) is its case of one layer. It trusts the plan.

    Args:
        rgb: HxWx3 uint8 or uint16.
        small: hxwx3 float64 in 0..1, the photo at the working size.
        plan: of ``small``.
        settings: with ``compositing`` PAPER; linear_light is used.
    """
    shape = rgb.shape[0], rgb.shape[1]
    light = light_of_codes(rgb, settings.linear_light)
    radii_px = plan.lens.radii_px / image_diagonal_px(small.shape) * image_diagonal_px(shape)
    alpha = full_matte(rgb, fit_matte(small, plan.alpha))
    feather_px = FEATHER_SHARE * image_diagonal_px(small.shape)
    weights = layer_weights(plan.labels, radii_px.size, feather_px).astype(np.float32)  # hxwxK
    blurs = [LayerBlur(rgb, alpha, light, float(radius_px)) for radius_px in radii_px]
    for start, stop in strips_of(shape[0]):
        own = light[rgb[start:stop]]
        behind = (1 - alpha[start:stop])[..., None]
        wide = enlarge_rows(weights, start, stop, shape)
        wide /= wide.sum(axis=2, keepdims=True)
        # (10) as I_i plus what the blur changes: sharp layers add exactly nothing
        picture, share = own.copy(), np.zeros(own.shape[:2], dtype=np.float32)
        for layer, blur in enumerate(blurs):
            weight = behind * wide[..., layer, None]
            if blur.radius_px <= 1 or not weight.any():
                continue
            picture += weight * (blur.rows(start, stop) - own)
            share += weight[..., 0]
        yield (
            start,
            stop,
            to_srgb(picture.astype(np.float64)) if settings.linear_light else np.clip(picture, 0, 1),
            share,
        )


class LayerBlur:
    """The guided blur (6) of one radius, by strips.

    Args:
        rgb: HxWx3 uint8 or uint16.
        alpha: HxW float32 in 0..1.
        light: a float32 for each code, what each code counts as.
        radius_px: at the photo's size.
    """

    def __init__(self, rgb: AnyArray, alpha: AnyArray, light: AnyArray, radius_px: float) -> None:
        self.rgb, self.alpha, self.light, self.radius_px = rgb, alpha, light, radius_px
        self.scale = max(1, int(radius_px // BASE_RADIUS_PX))
        self.kernel = disk_kernel(radius_px / self.scale)
        self.small = self._quotient(self._sums()) if self.scale > 1 else None

    def rows(self, start: int, stop: int) -> AnyArray:
        """(stop-start)xWx3 float32: sum_j w^_ij(m) I_j."""
        height, width = self.alpha.shape
        if self.small is not None:
            tall, wide = (self.small.shape[0] * self.scale, self.small.shape[1] * self.scale)
            return enlarge_rows(self.small, start, stop, (tall, wide))[:, :width]
        reach = self.kernel.shape[0] // 2
        top, bottom = max(0, start - reach), min(height, stop + reach)
        return self._quotient(self._weighted(top, bottom))[start - top : stop - top]

    def _weighted(self, start: int, stop: int) -> AnyArray:
        """Light times background share, and the share: (stop-start)xWx4."""
        background = (1 - self.alpha[start:stop])[..., None]
        return np.concatenate([self.light[self.rgb[start:stop]] * background, background], axis=2)

    def _sums(self) -> AnyArray:
        """The same, averaged over blocks of ``scale`` pixels; beyond the photo there is no light and no share."""
        height, width = self.alpha.shape
        s = self.scale
        across = -(-width // s)
        blocks = []
        for start in range(0, height, s * max(1, STRIP_ROWS // s)):
            strip = self._weighted(start, min(start + s * max(1, STRIP_ROWS // s), height))
            down = -(-strip.shape[0] // s)
            padding = ((0, down * s - strip.shape[0]), (0, across * s - width), (0, 0))
            blocks.append(cv2.resize(np.pad(strip, padding), (across, down), interpolation=cv2.INTER_AREA))
        return np.concatenate(blocks)

    def _quotient(self, stack: AnyArray) -> AnyArray:
        """(6) of premultiplied light and share HxWx4; 0 where no background is in reach (there m_i = 1)."""
        sums = weighted_sums(stack.astype(np.float64), self.kernel)
        total = sums[..., 3:]
        blurred = np.where(total > MIN_BACKGROUND, sums[..., :3] / np.maximum(total, MIN_BACKGROUND), 0.0)
        return np.asarray(blurred, dtype=np.float32)
