"""What a selfie is: the paper's two renderers are one."""

import numpy as np
import pytest
import torch

from portraiture.reference.lens.selfie import fills_the_frame, scene_depth, selfie_share
from portraiture.reference.paper.full_body import render_full_body
from portraiture.reference.paper.selfie import render_selfie
from portraiture.training.models.filters.base import scene_depth as network_scene_depth
from portraiture.training.models.filters.base import selfie_share as network_share


def person(rows: int, columns: int) -> np.ndarray:
    """A person of some rows and columns at the lower left of 100x100."""
    mask = np.zeros((100, 100))
    mask[100 - rows :, :columns] = 1
    return mask


def test_the_full_body_renderer_with_one_disk_is_the_selfie_renderer() -> None:
    rng = np.random.default_rng(0)
    rgb, alpha = rng.random((24, 20, 3)), rng.random((24, 20))
    labels = rng.integers(0, 3, (24, 20))
    both = render_full_body(rgb, alpha, labels, np.full(3, 3.5)), render_selfie(rgb, alpha, 3.5)
    np.testing.assert_allclose(*both, atol=1e-12)


@pytest.mark.parametrize(
    ("mask", "share"),
    [
        (person(80, 60), 1.0),
        (person(100, 20), 0.0),  # a narrow one: 20 % of the photo, a fifth of the bottom row
        (person(20, 90), 0.0),  # 18 % of the photo
        (person(50, 40), 0.5),  # 20 %, at the middle of the ramp
        (person(70, 34), 0.5 + 25 * (0.34 - 1 / 3)),
        (person(80, 60)[::-1], 0.0),  # from above
        (0.5 * person(80, 60), 0.0),  # 24 % of the photo, 30 % of the bottom row
        (0.8 * person(80, 60), 1.0),
    ],
)
def test_the_share_of_a_selfie(mask: np.ndarray, share: float) -> None:
    found = selfie_share(mask)
    tensor = torch.from_numpy(mask.copy())[None, None]
    assert float(network_share(tensor)) == pytest.approx(found, abs=1e-9)
    assert found == pytest.approx(share, abs=1e-6)
    if found in (0.0, 1.0) and mask.max() == 1:
        assert fills_the_frame(mask) is bool(found)


def test_the_bottom_row_is_the_last_one() -> None:
    mask = person(80, 60)
    assert fills_the_frame(mask)
    mask[-1] = 0
    assert not fills_the_frame(mask)
    mask[-1, :34], mask[-2] = 1, 0
    assert fills_the_frame(mask)
    mask[-1, 33] = 0  # 33 of 100 are less than a third
    assert not fills_the_frame(mask)


@pytest.mark.parametrize("focus", [None, 0.0, 0.7])
@pytest.mark.parametrize("selfie", [False, True])
def test_the_depth_of_a_scene(selfie: bool, focus: float | None) -> None:
    mask = person(80, 60) if selfie else person(80, 20)
    depth = np.random.default_rng(1).random(mask.shape)
    found = scene_depth(mask, depth, focus)
    expected = 1 - mask if selfie and focus is None else depth
    np.testing.assert_array_equal(found, expected)
    planes = (torch.from_numpy(part)[None, None] for part in (mask, depth))
    by_network = network_scene_depth(*planes, torch.full((1, 1, 1, 1), -1.0 if focus is None else focus).double())
    np.testing.assert_allclose(by_network[0, 0].numpy(), expected, atol=1e-12)


def test_a_soft_mask_is_decided_as_the_network_decides() -> None:
    # 0.45 along the bottom: no pixel is a person, the mean is a selfie's
    mask = np.zeros((20, 20))
    mask[4:, 4:16] = 0.9
    mask[-1] = 0.45
    assert fills_the_frame(mask)
    assert selfie_share(mask) == 1
    mask[-1, 5:] = 0  # the mean falls below a third
    assert not fills_the_frame(mask)
    assert selfie_share(mask) == 0
