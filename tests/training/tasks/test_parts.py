"""A folder that labels the hair alone: its pixels are a person's, what is around them is unknown."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from portraiture.reference.errors import InputError
from portraiture.training.data.datasets import list_samples
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.fcn import Fcn
from portraiture.training.models.perception import MobilePerception
from portraiture.training.tasks import stage_photos
from portraiture.training.tasks.mask import MaskTask
from portraiture.training.tasks.people_and_rooms import PeopleAndRooms, PeopleBatch
from portraiture.training.tasks.people_sets import Folder, PeopleData, Stage
from portraiture.training.tasks.perception import CoarseTask, PerceptionTask

STAGE = Stage(2, 64, 64, people=6, rooms=0)
COUNT, WHOLE, PARTS = 8, (200, 60, 40), (40, 60, 200)


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture
def hair(tmp_path: Path) -> Path:
    """Blue photos of which a box at the top is hair."""
    box = np.zeros((72, 72), np.uint8)
    box[8:30, 20:50] = 255
    for k in range(COUNT):
        write(tmp_path / f"hair/images/{k}.png", np.full((72, 72, 3), PARTS[::-1], np.uint8))
        write(tmp_path / f"hair/hair/{k}.png", box)
    return tmp_path / "hair"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Red photos of whole people."""
    person = np.zeros((72, 72), np.uint8)
    person[20:, 20:50] = 255
    for k in range(COUNT):
        write(tmp_path / f"people/images/{k}.png", np.full((72, 72, 3), WHOLE[::-1], np.uint8))
        write(tmp_path / f"people/masks/{k}.png", person)
    return tmp_path / "people"


def data_of(cache: Path, *folders: Path, backgrounds: tuple[Path, ...] = ()) -> PeopleData:
    return PeopleData(None, None, None, backgrounds, cache, tuple(Folder(f) for f in folders))


def test_only_who_can_use_them_gets_parts(hair: Path, people: Path) -> None:
    assert all(s.partial for s in list_samples("folder", hair, parts=True))
    assert not any(s.partial for s in list_samples("folder", people, parts=True))
    with pytest.raises(InputError, match="expected masks of whole people, found hair/ alone"):
        list_samples("folder", hair)


def test_around_the_hair_nothing_is_known(hair: Path, people: Path, tmp_path: Path) -> None:
    batch = PeopleAndRooms(data_of(tmp_path / "c", hair), (STAGE,)).batch(0, np.random.default_rng(0))
    assert 0 < batch.known.mean() < 0.5
    assert torch.equal(batch.known, (batch.masks > 0.5).float())
    assert not batch.as_taken.any()  # no ground, no body
    assert not batch.one_body.any()
    whole = PeopleAndRooms(data_of(tmp_path / "c", people), (STAGE,)).batch(0, np.random.default_rng(0))
    assert (whole.known == 1).all()


def test_a_part_is_never_cut_out(hair: Path, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is pasted by a part's mask, and no part is put before another background."""
    for name, value in (("AS_TAKEN_SHARE", 0.0), ("COMPOSITE_SHARE", 1.0), ("CROWD_SHARE", 1.0), ("NOBODY_SHARE", 0.0),
                        ("OCCLUDED_SHARE", 0.0)):  # fmt: skip
        monkeypatch.setattr(stage_photos, name, value)
    for change in ("jitter_colour", "degrade"):
        monkeypatch.setattr(stage_photos, change, lambda _, rgb: rgb)
    write(tmp_path / "green/0.png", np.full((72, 72, 3), (20, 200, 20), np.uint8))
    for k in range(1, 8):
        write(tmp_path / f"green/{k}.png", np.full((72, 72, 3), (20, 200 - k, 20), np.uint8))
    sets = data_of(tmp_path / "c", hair, people, backgrounds=(tmp_path / "green",))
    photos = PeopleAndRooms(sets, (STAGE,)).photos[STAGE]
    rng = np.random.default_rng(0)
    whole_seen = 0
    for index in range(len(photos.people)):
        for _ in range(6):
            view = photos.person(rng, index, (64, 64))
            red, green, blue = (view.rgb[..., c] for c in range(3))
            if photos.partial[index]:
                assert (view.known[..., 0] == (view.mask[..., 0] > 0.5)).all()
                assert not (green > red + 0.2).any()  # its own background
            else:
                whole_seen += 1
                pasted = (view.mask[..., 0] > 0.9) & (blue > red + 0.15) & (blue > green + 0.15)
                assert not pasted.any()  # of the people in the mask none is a blue photo's
    assert whole_seen > 10


@pytest.mark.parametrize("subject", ["perception", "coarse", "mask"])
def test_unknown_pixels_have_no_gradient(subject: str) -> None:
    """The loss does not change, whatever the label says where it is not known."""
    torch.manual_seed(0)
    known = torch.zeros(2, 1, 64, 64)
    known[:, :, 16:48, 16:48] = 1  # whole cells of the first look
    masks = known.clone()
    other = torch.where(known == 1, masks, (torch.rand_like(masks) > 0.5).float())
    nothing = torch.zeros(0, 3, 64, 64)
    flags = torch.zeros(2, dtype=torch.bool)

    def batch(labels: torch.Tensor, which: torch.Tensor) -> PeopleBatch:
        rooms = (nothing, nothing[:, :1], nothing[:, :1], flags[:0], flags[:0])
        return PeopleBatch(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)), labels, which,
                           flags, flags, torch.zeros_like(masks), *rooms)  # fmt: skip

    task, model = {
        "perception": (PerceptionTask(None), MobilePerception()),  # type: ignore[arg-type]
        "coarse": (CoarseTask(None), MobileCoarse()),  # type: ignore[arg-type]
        "mask": (MaskTask(None), Fcn()),  # type: ignore[arg-type]
    }[subject]
    model.eval()
    with torch.no_grad():
        name = "mask"
        one, two = (task.loss(model, batch(labels, known))[1][name] for labels in (masks, other))
        everywhere = task.loss(model, batch(other, torch.ones_like(known)))[1][name]
    near = pytest.approx(one, rel=0.002 if subject != "coarse" else 1e-6)  # the outline's weight reaches inside
    assert two == near
    assert everywhere != pytest.approx(one, rel=0.005)


def test_held_out_parts_are_judged_by_what_is_found(hair: Path, people: Path, tmp_path: Path) -> None:
    photos = PeopleAndRooms(data_of(tmp_path / "c", hair, people), (STAGE,))
    half = torch.zeros(1, 1, 64, 64)
    half[..., :32] = 1  # the left half
    found = photos.figures(lambda _: {"mask": half})
    assert found["found_hair"] == pytest.approx(0.5, abs=0.1)
    assert "iou_hair" not in found
    assert 0 < found["iou_people"] < 1
    assert all(judged.name.startswith("people ") for judged in photos.held_out.worst)
