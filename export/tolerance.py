"""A gate on a difference."""

from dataclasses import dataclass

from portraiture.export.compare import Difference


@dataclass(frozen=True)
class Tolerance:
    """A gate on a :class:`Difference`; a bound that is None does not count.

    ``min_tile_db`` is asked of the worst tile, so that a local fault is not lost in the mean. ``min_iou`` needs a
    difference of masks, found by ``compare(..., as_mask=True)``; another one fails it.
    """

    reason: str
    max_abs: float | None = None
    min_psnr_db: float | None = None
    min_tile_db: float | None = None
    min_iou: float | None = None

    def passes(self, difference: Difference) -> bool:
        """True only for finite arrays within every bound (NaN compares false, so it cannot pass)."""
        if not difference.finite:
            return False
        within_max = self.max_abs is None or difference.max_abs <= self.max_abs
        above_psnr = self.min_psnr_db is None or difference.psnr_db >= self.min_psnr_db
        above_iou = self.min_iou is None or (difference.iou is not None and difference.iou >= self.min_iou)
        above_tile = self.min_tile_db is None or difference.tile_psnr_db >= self.min_tile_db
        return within_max and above_psnr and above_tile and above_iou

    def badness(self, difference: Difference) -> tuple[bool, bool, float]:
        """A key by which the worst of several differences is the largest: not finite, failed, then the first bound."""
        if self.max_abs is not None:
            figure = difference.max_abs
        elif self.min_iou is not None and difference.iou is not None:
            figure = -difference.iou
        else:
            figure = -difference.psnr_db
        return not difference.finite, not self.passes(difference), figure

    def __str__(self) -> str:
        parts = []
        if self.max_abs is not None:
            parts.append(f"max error <= {self.max_abs:g}")
        if self.min_psnr_db is not None:
            parts.append(f"PSNR >= {self.min_psnr_db:g} dB")
        if self.min_tile_db is not None:
            parts.append(f"tiles >= {self.min_tile_db:g} dB")
        if self.min_iou is not None:
            parts.append(f"IoU >= {self.min_iou:g}")
        return ", ".join(parts)
