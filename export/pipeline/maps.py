"""What the pipeline knows of a photo after perception."""

from dataclasses import dataclass

import numpy as np

from portraiture.export.contract import Size
from portraiture.export.pipeline.frame import Frame, frame_of


@dataclass(frozen=True)
class Maps:
    """Mask and depth of a photo at its own size and as they left the model.

    Attributes:
        mask, depth: HxW float32 in 0..1.
        model_rgb: hxwx3 uint8, what the model saw: the photo, or the frame that it was mirrored to.
        model_mask, model_depth: hxw in 0..1.
        size: (h, w).
    """

    mask: np.ndarray
    depth: np.ndarray
    model_rgb: np.ndarray
    model_mask: np.ndarray
    model_depth: np.ndarray
    size: Size

    @property
    def frame(self) -> Frame:
        """What the model saw of the photo and around it."""
        return frame_of(self.mask.shape[0], self.mask.shape[1], self.size)
