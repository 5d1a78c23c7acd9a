"""The search for near-duplicates: photos of one shot are one group, others are in none."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from skimage import data

from portraiture.reference.photo.write import write_photo
from portraiture.tools.evaluate.near_duplicates import find_groups


class Layout(torch.nn.Module):
    """In place of the encoder's features: where a photo is bright."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        coarse = F.adaptive_avg_pool2d(x, 3).flatten(1)[..., None, None]
        return coarse, coarse


def test_a_cut_and_brightened_photo_is_found_beside_its_original(tmp_path: Path) -> None:
    shot = data.astronaut()
    cut = np.clip(shot[10:490, 20:500].astype(float) * 1.15, 0, 255).astype(np.uint8)
    others = [data.chelsea(), data.coffee(), data.rocket(), data.immunohistochemistry()]
    photos = []
    for k, rgb in enumerate([shot, *others, cut]):
        write_photo(tmp_path / f"{k}.png", np.ascontiguousarray(rgb))
        photos.append(tmp_path / f"{k}.png")
    assert find_groups(photos, Layout()) == [[0, 5]]  # type: ignore[arg-type]
