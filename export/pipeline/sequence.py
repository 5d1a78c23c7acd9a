"""The frames of a film through the models one after the other: maps steadied by the network ``Steady``."""

from dataclasses import replace

import numpy as np
import torch

from portraiture.export.pipeline.maps import Maps
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.pipeline.resize import mask_to_photo_size, to_photo_size
from portraiture.reference.lens.focus import person_depth
from portraiture.training.models.steady import Steady

FOCUS_SHARE = 0.2
"""Of a frame's own focus in the steadied one; chosen, not measured."""

CUT = 0.15
"""Mean difference of two frames' colours from which on a new scene begins; chosen: a walk of 8 pixels has 0.05."""


def _plane(array: np.ndarray) -> torch.Tensor:
    """HxW or HxWxC as (1, C, H, W) float32."""
    whole = array.reshape(*array.shape[:2], -1).transpose(2, 0, 1)[None]
    return torch.from_numpy(np.ascontiguousarray(whole, dtype=np.float32))


class Sequence:
    """What is remembered from frame to frame: the last frame at the models' size and its steadied maps.

    Args:
        pipeline: of the models.
        steady: whether maps are steadied; else each frame is by itself.
    """

    def __init__(self, pipeline: Pipeline, steady: bool = True) -> None:
        self.pipeline, self.steady = pipeline, steady
        self.network = Steady().eval()
        self.state: dict[str, np.ndarray] = {}

    def perceive(self, rgb: np.ndarray) -> Maps:
        """Mask and depth of the next frame HxWx3 uint8."""
        maps = self.pipeline.perceive(rgb)
        if not self.steady:
            return maps
        seen = (maps.model_rgb / np.float32(255)).astype(np.float32)
        if self._is_new_scene(seen):
            self.state = {}
        else:
            maps = self._steadied(rgb, maps, seen)
        self.state |= {"rgb": seen, "mask": maps.model_mask, "depth": maps.model_depth}
        return maps

    def _is_new_scene(self, seen: np.ndarray) -> bool:
        last = self.state.get("rgb")
        return last is None or last.shape != seen.shape or float(np.abs(last - seen).mean()) > CUT

    def _steadied(self, rgb: np.ndarray, maps: Maps, seen: np.ndarray) -> Maps:
        last = self.state
        given = (seen, last["rgb"], maps.model_mask, maps.model_depth, last["mask"], last["depth"])
        with torch.inference_mode():
            new_mask, new_depth = (m[0, 0].numpy() for m in self.network(*map(_plane, given)))
        depth = self._in_focus(new_mask, new_depth)
        frame = maps.frame
        mask = mask_to_photo_size(new_mask, maps.model_rgb, frame.mirror(rgb))
        full = to_photo_size(depth, frame.size.height, frame.size.width)
        own_mask, own_depth = (np.clip(frame.keep(m), 0, 1) for m in (mask, full))
        return replace(maps, mask=own_mask, depth=own_depth, model_mask=new_mask, model_depth=depth)

    def _in_focus(self, mask: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """The depth, moved so that the person's is a recursive average: what stays sharp does not jump."""
        if float(mask.sum()) < 1:
            self.state.pop("focus", None)
            return depth
        own = person_depth(mask.astype(np.float64), depth.astype(np.float64))
        before = float(self.state.get("focus", own))
        focus = before + FOCUS_SHARE * (own - before)
        self.state["focus"] = np.array(focus)
        return np.clip(depth + np.float32(focus - own), 0, 1).astype(depth.dtype)
