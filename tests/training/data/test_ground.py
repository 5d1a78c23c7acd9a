"""Where people stand: feet and the ground around them, found on drawn masks."""

import numpy as np
import pytest

from portraiture.training.data.ground import CAMERA_SHARE, find_contacts, ground_log_depth

HEIGHT, WIDTH = 200, 120


def standing(lowest: int = 180) -> np.ndarray:
    """A body with two legs, 150 px tall, whose shoes end at a row."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[lowest - 149 : lowest - 59, 45:75] = True
    mask[lowest - 59 : lowest + 1, 45:55] = True
    mask[lowest - 59 : lowest + 1, 65:75] = True
    return mask


def test_each_foot_has_ground_beside_below_and_above() -> None:
    left, right = find_contacts(standing())
    for contact, columns in ((left, slice(45, 55)), (right, slice(65, 75))):
        assert contact.foot[172:181, columns].all()
        assert contact.foot.sum() == 9 * 10  # 6 % of 150 px
        rows, across = np.nonzero(contact.beside)
        assert (abs(rows - 180) <= 2).all()
        assert (np.maximum(columns.start - across, across - (columns.stop - 1)) >= 0.03 * 150).all()
        assert (np.maximum(columns.start - across, across - (columns.stop - 1)) <= 0.15 * 150).all()
        below, above = np.nonzero(contact.below)[0], np.nonzero(contact.above)[0]
        assert (below.min(), below.max()) == (186, HEIGHT - 1)
        assert (above.min(), above.max()) == (180 - 37, 174)
        for part in contact.parts()[1:]:
            assert not (part & standing()).any()


def test_the_ground_is_a_plane_below_a_camera_at_the_eyes() -> None:
    # a camera 1.5 m above the ground, a person of 1.5 / 0.9 m whose feet are 3 m away
    tall, feet = 1.5 / CAMERA_SHARE, 3.0
    for metres in (2.0, 3.0, 3.4, 4.5):
        rise = (1.5 / feet - 1.5 / metres) / (tall / feet)  # of the photo's heights, in those of the person
        assert ground_log_depth(np.array(rise)) == pytest.approx(np.log(metres / feet), abs=1e-6)
    left, _ = find_contacts(standing())
    assert left.log_depth[180, 0] == 0
    assert (np.diff(left.log_depth[:, 0]) <= 0).all()


def test_only_what_the_photo_shows_is_ground() -> None:
    seen = np.ones((HEIGHT, WIDTH), bool)
    seen[190:] = False
    assert all(np.nonzero(contact.below)[0].max() == 189 for contact in find_contacts(standing(), seen))
    seen[175:] = False  # nothing beside the feet
    assert find_contacts(standing(), seen) == []


def test_nobody_stands_where_feet_are_cut_off_or_the_body_lies_or_is_small() -> None:
    cut = standing(HEIGHT - 1)
    lying = np.zeros((HEIGHT, WIDTH), bool)
    lying[100:180, 20:100] = True
    small = np.zeros((HEIGHT, WIDTH), bool)
    small[120:180, 50:60] = True
    for mask in (cut, lying, small, np.zeros((HEIGHT, WIDTH), bool)):
        assert find_contacts(mask) == []


def test_the_largest_person_is_taken_and_others_are_no_ground() -> None:
    mask = standing()
    mask[100:190, 90:105] = True
    contacts = find_contacts(mask)
    assert len(contacts) == 2
    assert all(not contact.foot[:, 90:].any() for contact in contacts)
    assert all(not (part & mask).any() for contact in contacts for part in contact.parts()[1:])
