"""People in rooms: as high as the camera says, at the floor's depth, behind what is nearer."""

import numpy as np
import pytest

from portraiture.training.data.standing import Scene, focal_px, stand

FLOOR_FROM = 260


def room(near: float = 0.0) -> tuple[Scene, np.ndarray]:
    """A frame of NYU: a wall 6 m away and a floor that comes nearer down to 2 m; ``near`` metres away a box."""
    depth = np.full((480, 640), 6.0, np.float32)
    depth[FLOOR_FROM:] = np.linspace(6, 2, 480 - FLOOR_FROM)[:, None]
    floor = np.zeros((480, 640), bool)
    floor[FLOOR_FROM:] = True
    if near:
        depth[300:400], floor[300:400] = near, False
    return Scene(np.full((480, 640, 3), 0.5, np.float32), np.zeros((480, 640), np.float32), depth), floor


def person(bottom: int = 180, left: int = 45) -> tuple[np.ndarray, np.ndarray]:
    """A red photo of someone upright, of 160 px where the feet are in it."""
    mask = np.zeros((200, 130), np.float32)
    mask[20:bottom, left : left + 40] = 1
    photo = np.zeros((200, 130, 3), np.float32)
    photo[..., 0] = 0.6
    return photo, mask


def scenes(shown: tuple[np.ndarray, np.ndarray], where: tuple[Scene, np.ndarray], count: int = 30) -> list[Scene]:
    found = [stand(np.random.default_rng(k), *shown, *where) for k in range(count)]
    return [scene for scene in found if scene is not None]


def extent(scene: Scene) -> tuple[int, int, float]:
    """First row, last row and depth of who was put there."""
    rows = np.flatnonzero((scene.mask > 0.5).any(1))
    (metres,) = np.unique(scene.depth[scene.mask > 0.5])
    return int(rows[0]), int(rows[-1]), float(metres)


def test_the_feet_are_on_the_floor_and_the_height_is_a_persons() -> None:
    found = scenes(person(), room())
    assert len(found) > 20
    for scene in found:
        top, bottom, metres = extent(scene)
        assert metres == pytest.approx(room()[0].depth[bottom, 0], rel=0.02)
        tall = (bottom + 1 - top) * metres / 519  # a pinhole, by hand
        assert 1.45 < tall < 2.05
    assert np.ptp([extent(scene)[2] for scene in found]) > 1  # near and far


def test_focal_length_follows_the_frames_width() -> None:
    assert focal_px(320) == 259.5


def test_what_is_nearer_covers_the_person_and_keeps_its_depth() -> None:
    scene_of = room(near=1.0)
    behind = [scene for scene in scenes(person(), scene_of) if (scene.mask[:300] > 0.5).any()]
    assert behind
    for scene in behind:
        assert not (scene.mask[305:395] > 0.5).any()
        assert (scene.depth[305:395] == 1.0).all()
        assert (scene.rgb[310:390] == 0.5).all()


def test_a_box_that_hides_most_of_the_person_is_no_place() -> None:
    scene, floor = room()
    scene.depth[100:] = np.minimum(scene.depth[100:], 1.0)
    scene.depth[470:], floor[:470] = 5.0, False
    assert scenes(person(), (scene, floor)) == []


def test_someone_cut_off_stands_at_the_rim_as_far_as_the_size_says() -> None:
    found = scenes(person(bottom=200), room())
    assert found
    for scene in found:
        top, bottom, metres = extent(scene)
        assert bottom == 479
        assert 0.45 < (480 - top) * metres / 519 < 0.95


@pytest.mark.parametrize("shown", [person(left=0), person(bottom=20)], ids=["cut off at the side", "nobody"])
def test_who_cannot_stand_is_left_out(shown: tuple[np.ndarray, np.ndarray]) -> None:
    assert scenes(shown, room()) == []


def test_someone_lying_is_left_out() -> None:
    photo, mask = person()
    assert scenes((photo.swapaxes(0, 1), mask.swapaxes(0, 1)), room()) == []


def test_without_a_floor_nobody_stands() -> None:
    scene, floor = room()
    assert scenes(person(), (scene, np.zeros_like(floor))) == []
