"""From the working size to the photo's, a strip of rows at a time, so that memory does not grow with the photo.

Maps enlarge bilinearly (half-pixel centres); the matte by the guided filter (He, Sun, Tang 2013; on a small guide,
He, Sun 2015): within a window the matte is an affine function of the photo's colour,
    alpha_i = a_k . I_i + b_k,   i in window k,
fitted at the working size and evaluated on the photo's own pixels, which gives hair its full-size edges.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray, Floats, largest_code

STRIP_ROWS = 256
"""Rows that are composed at a time: 50 MB of float64 colours where a row has 8,000 pixels. Chosen, not measured."""


MATTE_ROWS = 64
"""Rows of the matte at a time: what is enlarged for them stays in the cache. Chosen."""


WINDOW_PX = 2
"""Half width of the windows of the guided filter for a matte, in working pixels. Chosen, not measured."""


RIDGE = 1e-4
"""Ridge of the guided filter: colour variance below this counts as none. Chosen, not measured."""


SNAP = 1e-3
"""A matte this near to 0 or 1 is 0 or 1, so that what is sharp keeps the photo's pixels. A quarter of an 8-bit code."""


def enlarge_rows(small: AnyArray, start: int, stop: int, shape: tuple[int, int]) -> AnyArray:
    """Rows ``start`` to ``stop`` of a map enlarged to a size; any split into strips gives the same values.

    Args:
        small: hxw or hxwxC, any range.
        start: first row of the large map.
        stop: the row after the last.
        shape: (H, W) of the whole large map.

    Returns:
        (stop-start)xW or (stop-start)xWxC, of the dtype of ``small``.
    """
    height, width = shape
    row = np.clip((np.arange(start, stop) + 0.5) * small.shape[0] / height - 0.5, 0, small.shape[0] - 1)
    above = np.floor(row).astype(np.int64)
    below = np.minimum(above + 1, small.shape[0] - 1)
    share = (row - above).astype(small.dtype).reshape((-1,) + (1,) * (small.ndim - 1))
    mixed = np.ascontiguousarray(small[above] * (1 - share) + small[below] * share)
    wide = np.asarray(cv2.resize(mixed, (width, stop - start), interpolation=cv2.INTER_LINEAR))
    return wide.reshape(stop - start, width, *small.shape[2:])  # OpenCV drops a single channel's axis


@dataclass(frozen=True)
class MatteModel:
    """The matte as a local function of colour, at the working size.

    Attributes:
        slope: hxwx3 float32, a; 0 where the matte is 0 or 1 all around.
        offset: hxw float32, b.
        low, high: hxw float32, the least and the largest matte around: no pixel leaves them.
    """

    slope: AnyArray
    offset: AnyArray
    low: AnyArray
    high: AnyArray

    def rows(self, coded: AnyArray, start: int, stop: int, shape: tuple[int, int]) -> AnyArray:
        """The matte of some rows of the photo.

        Args:
            coded: (stop-start)xWx3 float32 in 0..1, these rows of the photo.
            start: first row.
            stop: the row after the last.
            shape: (H, W) of the photo.

        Returns:
            (stop-start)xW float32 in 0..1.
        """
        alpha = enlarge_rows(self.offset, start, stop, shape)
        for slope, colour in zip(self._slopes, cv2.split(coded), strict=True):  # planes: five times as fast as pixels
            alpha += enlarge_rows(slope, start, stop, shape) * colour
        low, high = (enlarge_rows(bound, start, stop, shape) for bound in (self.low, self.high))
        alpha = np.asarray(cv2.min(cv2.max(alpha, low), high))
        alpha[alpha < SNAP] = 0
        alpha[alpha > 1 - SNAP] = 1
        return alpha

    @cached_property
    def _slopes(self) -> Sequence[AnyArray]:
        """The slope's planes, hxw each."""
        return cv2.split(self.slope)


def fit_matte(rgb: Floats, alpha: Floats, window_px: int = WINDOW_PX, ridge: float = RIDGE) -> MatteModel:
    """Fits the guided filter's coefficients where the matte is not the same all around.

    Args:
        rgb: hxwx3 in 0..1, the photo at the working size.
        alpha: hxw in 0..1.
        window_px: half width of the windows, in working pixels, 1 or more.
        ridge: colour variance below this counts as none, above 0.
    """
    around = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * window_px + 1,) * 2)
    low, high = cv2.erode(alpha, around), cv2.dilate(alpha, around)
    soft = cv2.dilate((high - low > SNAP).astype(np.uint8), around) > 0
    slope, offset = np.zeros_like(rgb), alpha.copy()
    if soft.any():
        mean = _box(rgb, window_px)
        pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        covariance = np.zeros((int(soft.sum()), 3, 3))
        for i, j in pairs:
            covariance[:, i, j] = covariance[:, j, i] = (
                _box(rgb[..., i] * rgb[..., j], window_px) - mean[..., i] * mean[..., j]
            )[soft]
        with_alpha = (_box(rgb * alpha[..., None], window_px) - mean * _box(alpha, window_px)[..., None])[soft]  # nx3
        # a_k = (S_k + ridge)^-1 cov(I, alpha),   b_k = mean(alpha) - a_k . mean(I)
        solved = np.linalg.solve(covariance + ridge * np.eye(3), with_alpha[..., None])[..., 0]
        slope[soft] = solved
        offset[soft] = _box(alpha, window_px)[soft] - np.einsum("nc,nc->n", solved, mean[soft])
        # a pixel lies in many windows: their functions are averaged, hard pixels' own counting as constants
        slope[soft], offset[soft] = _box(slope, window_px)[soft], _box(offset, window_px)[soft]
    parts = (slope, offset, low, high)
    return MatteModel(*(np.ascontiguousarray(p, dtype=np.float32) for p in parts))


def _box(image: AnyArray, window_px: int) -> Floats:
    size = (2 * window_px + 1,) * 2
    return np.asarray(cv2.blur(np.ascontiguousarray(image), size, borderType=cv2.BORDER_REPLICATE), dtype=np.float64)


def strips_of(height: int, rows: int | None = None) -> Iterator[tuple[int, int]]:
    """The rows of each strip, ``STRIP_ROWS`` or as many as are given."""
    step = rows or STRIP_ROWS
    return ((start, min(start + step, height)) for start in range(0, height, step))


def over_strips(height: int, rows: int, work: Callable[[int, int], None]) -> None:
    """Work on every strip, on as many threads as OpenCV has; NumPy and OpenCV let others run while they compute.

    Args:
        height: of the photo.
        rows: of a strip.
        work: writes what it makes of the rows from the first argument to before the second; no strip needs another.
    """
    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as threads:
        for done in [threads.submit(work, *strip) for strip in strips_of(height, rows)]:
            done.result()


def full_matte(rgb: AnyArray, model: MatteModel) -> AnyArray:
    """HxW float32, the matte at the photo's size; of HxWx3 uint8 or uint16."""
    most = np.float32(largest_code(rgb))
    shape = rgb.shape[0], rgb.shape[1]
    alpha = np.empty(shape, dtype=np.float32)

    def strip(start: int, stop: int) -> None:
        alpha[start:stop] = model.rows(rgb[start:stop] / most, start, stop, shape)

    over_strips(shape[0], MATTE_ROWS, strip)
    return alpha
