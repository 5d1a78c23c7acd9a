"""Batches of people, rooms and photos of nobody, on small sets that the tests write."""

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy.io import savemat
from torch import Tensor

from portraiture.reference.errors import InputError, OptionError
from portraiture.training import recipes
from portraiture.training.data.bsds_people import WITH_PEOPLE
from portraiture.training.data.datasets import Split, list_samples, split_of
from portraiture.training.data.negatives import person_free_photos, person_free_rooms
from portraiture.training.data.nyu import FLOOR, PERSON
from portraiture.training.models.perception import MobilePerception
from portraiture.training.recipes import PeopleRecipe
from portraiture.training.tasks import stage_photos
from portraiture.training.tasks.people_and_rooms import PeopleAndRooms, PeopleBatch
from portraiture.training.tasks.people_sets import Folder, PeopleData, Stage
from portraiture.training.tasks.perception import PerceptionTask, contacts_of, empty_losses, ground_loss
from portraiture.training.tensor_files import load_tensors
from portraiture.training.trainers import Sources, people_trainer

COUNT = 20
GREEN, BLUE = (20, 200, 20), (200, 20, 20)
STAGE = Stage(4, 64, 32, people=6, rooms=3, rooms_long=96, rooms_short=64)


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def plain(colour: tuple[int, int, int], height: int = 72, width: int = 48) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def label(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"labels": labels})


@pytest.fixture
def data(tmp_path: Path) -> PeopleData:
    """People fill a red photo's middle; rooms slope; every fourth room has a person; green photos show nobody."""
    person = np.zeros((72, 48), np.uint8)
    person[20:, 12:36] = 1
    slope = np.tile(np.linspace(30, 200, 120, dtype=np.uint8), (90, 1))
    for k in range(COUNT):
        write(tmp_path / f"shen/images_data_crop/{k:05d}.jpg", plain((20, 20, 200)))
        label(tmp_path / f"shen/images_mask/{k:05d}_mask.mat", person)
        write(tmp_path / f"ccp/photos/{k:04d}.jpg", plain((20, 20, 200)))
        label(tmp_path / f"ccp/pixel-level/{k:04d}.mat", person)
        write(tmp_path / f"nyu/nyu_images/{k}.jpg", plain((90, 90, 90), 90, 120))
        write(tmp_path / f"nyu/nyu_depths/{k}.png", slope)
        write(tmp_path / f"nyu/nyu_labels40/{k}.png", np.full((90, 120), PERSON if k % 4 == 0 else 7, np.uint8))
        write(tmp_path / f"bsds/{k + 1000}.jpg", plain(GREEN))
    for name in sorted(WITH_PEOPLE)[:5]:
        write(tmp_path / f"bsds/{name}.jpg", plain(BLUE))
    return PeopleData(tmp_path / "shen", tmp_path / "ccp", tmp_path / "nyu", (tmp_path / "bsds",), tmp_path / "cache")


def test_the_list_of_photos_with_people() -> None:
    assert len(WITH_PEOPLE) == 35
    assert all(name.isdigit() for name in WITH_PEOPLE)


def test_photos_with_people_are_left_out_and_the_last_are_held_out(data: PeopleData) -> None:
    found = person_free_photos(data.backgrounds[0])
    assert [s.id for s in found] == [str(k + 1000) for k in range(COUNT)]
    photos = PeopleAndRooms(data, (STAGE,))
    backgrounds = np.stack(photos.photos[STAGE].backgrounds)
    assert backgrounds.shape == (17, 72, 36, 3)
    assert len(photos.held_out.nobody) == len(split_of(found, Split.VALIDATION)) == 3
    assert (backgrounds[..., 1] > 150).all()  # green, none blue


def test_backgrounds_lie_in_a_folder_or_in_images_in_it(data: PeopleData, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    with pytest.raises(InputError, match="--data backgrounds: expected photos"):
        person_free_photos(tmp_path / "more")
    data.backgrounds[0].rename(tmp_path / "more/images")
    assert [s.id for s in person_free_photos(tmp_path / "more")] == [str(k + 1000) for k in range(COUNT)]


def test_rooms_without_a_person_are_flagged(data: PeopleData) -> None:
    rooms = list_samples("nyu", data.nyu)
    assert person_free_rooms(data.nyu, rooms).tolist() == [int(r.id) % 4 != 0 for r in rooms]
    write(data.nyu / "nyu_labels40/3.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match=r"3\.png: expected a grey map"):
        person_free_rooms(data.nyu, rooms)


def test_without_label_maps_no_room_is_known_to_be_empty(data: PeopleData, tmp_path: Path) -> None:
    assert not person_free_rooms(tmp_path, list_samples("nyu", data.nyu)).any()


def test_a_batch_has_the_stages_sizes(data: PeopleData) -> None:
    batch = PeopleAndRooms(data, (STAGE,)).batch(0, np.random.default_rng(0))
    assert batch.people.shape == (6, 3, 64, 32)
    assert batch.masks.shape == (6, 1, 64, 32)
    assert batch.rooms.shape == (3, 3, 64, 96)
    assert batch.levels.shape == (3, 1, 64, 96)
    assert batch.empty.dtype is torch.bool
    assert batch.empty.shape == (3,)


def test_rooms_have_the_peoples_size_where_none_is_given_and_there_may_be_none(data: PeopleData) -> None:
    assert Stage(4, 64, 32, 1, 2).rooms_size == (32, 64)
    photos = PeopleAndRooms(data, (Stage(2, 64, 32, 1, 2), Stage(4, 64, 32, 1, 0)))
    assert photos.batch(0, np.random.default_rng(0)).rooms.shape == (2, 3, 32, 64)
    assert photos.batch(2, np.random.default_rng(0)).rooms.shape == (0, 3, 32, 64)


def test_flags_belong_to_the_rooms_drawn(data: PeopleData) -> None:
    for k in range(COUNT):  # what a flag says is painted into the photo
        write(data.nyu / f"nyu_images/{k}.jpg", plain((0, 0, 0) if k % 4 == 0 else (200, 200, 200), 90, 120))
    photos = PeopleAndRooms(data, (STAGE,))
    rng, seen = np.random.default_rng(0), []
    for _ in range(10):
        batch = photos.batch(0, rng)
        assert ((batch.rooms.mean((1, 2, 3)) > 0.3) == batch.empty).all()
        seen += batch.empty.tolist()
    assert set(seen) == {True, False}


def test_some_samples_are_of_nobody_and_their_mask_is_empty(data: PeopleData) -> None:
    photos = PeopleAndRooms(data, (STAGE,))
    rng, nobody, total = np.random.default_rng(0), 0, 0
    for _ in range(60):
        batch = photos.batch(0, rng)
        green = (batch.people[:, 1] > batch.people[:, 0]).float().mean((1, 2))  # share of background
        for share, mask in zip(green, batch.masks, strict=True):
            empty = bool(mask.mean() < 0.01)  # a small person may reach in from the edge
            nobody, total = nobody + int(empty), total + 1
            assert empty or share < 0.99
    assert 0.04 < nobody / total < 0.14


def test_without_backgrounds_everybody_has_a_mask(data: PeopleData) -> None:
    photos = PeopleAndRooms(PeopleData(data.shen2016, data.ccp, data.nyu, (), data.cache), (STAGE,))
    rng = np.random.default_rng(0)
    assert all(photos.batch(0, rng).masks.flatten(1).any(1).all() for _ in range(20))
    assert not any(k.startswith("false_area") for k in photos.figures(half_mask))


def half_mask(rgb: Tensor) -> dict[str, Tensor]:
    """The upper half, and as the coarse mask nothing; depth grows to the right."""
    mask = torch.zeros_like(rgb[:, :1])
    mask[:, :, : rgb.shape[2] // 2] = 1
    return {"mask": mask, "mask_coarse": mask * 0, "depth": torch.linspace(0, 1, rgb.shape[3]).expand_as(rgb[:, :1])}


def test_figures_of_known_maps(data: PeopleData) -> None:
    figures = PeopleAndRooms(data, (STAGE,)).figures(half_mask)
    assert figures["false_area_bsds"] == 0.5
    assert figures["false_area_bsds_coarse"] == 0
    assert figures["whdr_nyu"] == 0
    assert set(figures) == {
        *("iou_shen2016", "iou_shen2016_coarse", "iou_ccp", "iou_ccp_coarse"),
        *("false_area_bsds", "false_area_bsds_coarse", "whdr_nyu"),
    }


def test_the_worst_photos_of_the_last_validation_are_kept(data: PeopleData) -> None:
    photos = PeopleAndRooms(data, (STAGE,))
    photos.figures(lambda rgb: {"mask": torch.zeros_like(rgb[:, :1])})
    photos.figures(half_mask)
    worst = photos.held_out.worst
    named = {f"{name} {sample_id}" for name, ids in photos.held_out.ids.items() for sample_id in ids}
    assert {judged.name for judged in worst} == named
    assert [judged.iou for judged in worst] == sorted(judged.iou for judged in worst)
    for judged in worst:  # half of each photo is found: what was kept is of this validation
        truth, found = judged.pair[..., 3] >= 128, judged.mask >= 0.5
        assert found.mean() == 0.5
        assert judged.iou == pytest.approx((truth & found).sum() / (truth | found).sum())


def test_every_third_held_out_photo_is_judged(data: PeopleData) -> None:
    calls: list[int] = []

    def counted(rgb: Tensor) -> dict[str, Tensor]:
        calls.append(rgb.shape[2])
        return half_mask(rgb)

    whole = PeopleAndRooms(data, (STAGE,)).figures(counted)
    assert len(calls) == 3 * 4
    calls.clear()
    some = PeopleAndRooms(data, (STAGE,), judge_every=3).figures(counted)
    assert len(calls) == 3 * 1 + 3  # one of each labelled set, all of nobody
    assert some.keys() == whole.keys()


def test_an_empty_room_pulls_its_mask_down_and_another_does_not() -> None:
    z = torch.zeros(2, 1, 4, 4, requires_grad=True)
    loss = empty_losses((z, z), rooms_batch(torch.zeros(2, 1, 4, 4), torch.tensor([False, True])))
    loss.backward()
    assert loss.item() == pytest.approx(2 * np.log(2))
    assert z.grad is not None
    assert not z.grad[0].any()
    assert (z.grad[1] > 0).all()
    assert empty_losses((z,), rooms_batch(torch.zeros(2, 1, 4, 4), torch.tensor([False, False]))).item() == 0


def rooms_batch(masks: Tensor, empty: Tensor) -> PeopleBatch:
    """A batch of rooms alone."""
    nothing, flags = torch.zeros(0, 1, 4, 4), torch.zeros(0, dtype=torch.bool)
    rgb, level = torch.rand(len(masks), 3, 4, 4), torch.full_like(masks, 100)
    metric = torch.ones_like(empty)
    return PeopleBatch(rgb[:0], nothing, nothing, flags, flags, nothing, rgb, level, masks, empty, metric)


def test_who_was_put_into_an_empty_room_is_the_only_person_there() -> None:
    z = torch.zeros(1, 1, 4, 4, requires_grad=True)
    masks = torch.zeros(1, 1, 4, 4)
    masks[..., :2] = 1
    empty_losses((z,), rooms_batch(masks, torch.tensor([True]))).backward()
    assert z.grad is not None
    assert (z.grad[masks == 1] < 0).all()
    assert (z.grad[masks == 0] > 0).all()


def test_people_are_put_onto_the_floor_of_rooms_and_have_its_depth(
    data: PeopleData, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = np.full((90, 120), 7, np.uint8)
    rooms[60:] = FLOOR
    near = np.tile(np.linspace(250, 60, 90).round().astype(np.uint8)[:, None], (1, 120))  # the lower, the nearer
    for k in range(COUNT):
        write(data.nyu / f"nyu_labels40/{k}.png", rooms)
        write(data.nyu / f"nyu_depths/{k}.png", near)
    monkeypatch.setattr(stage_photos, "STANDING_SHARE", 1.0)
    photos = PeopleAndRooms(data, (STAGE,))
    rng, seen = np.random.default_rng(0), 0
    for _ in range(10):
        batch = photos.batch(0, rng)
        for rgb, level, mask in zip(batch.rooms, batch.levels, batch.room_masks, strict=True):
            inside = mask > 0.95
            seen += bool(inside.any())
            if inside.any():
                assert level[inside].std() < 0.01  # one depth, of one point of the floor
                red, _, blue = rgb
                assert (red[inside[0]] > blue[inside[0]]).all()  # the photos of people are red, rooms grey
    assert seen > 10


def test_without_classes_of_rooms_nobody_is_put_there(data: PeopleData, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data.nyu is not None
    shutil.rmtree(data.nyu / "nyu_labels40")
    monkeypatch.setattr(stage_photos, "STANDING_SHARE", 1.0)
    assert not PeopleAndRooms(data, (STAGE,)).batch(0, np.random.default_rng(0)).room_masks.any()


def standing() -> tuple[Tensor, Tensor]:
    """Mask (1, 1, 200, 120) of a person who stands, and z of the world around: a plane up to a wall."""
    mask = torch.zeros(1, 1, 200, 120)
    mask[..., 20:172, 48:72] = 1
    z = torch.minimum(torch.linspace(4, 0, 200), torch.tensor(2.5)).reshape(1, 1, -1, 1).expand_as(mask).clone()
    z[mask > 0] = float(z[0, 0, 170, 0])
    return mask, z


def test_the_ground_of_the_world_costs_less_than_a_cut_out_and_the_gradient_leads_there() -> None:
    mask, world = standing()
    feet = contacts_of(mask, torch.ones_like(mask))
    cut_out = torch.where(mask > 0, 0.5, 3.0).requires_grad_()
    loss = ground_loss(cut_out, feet)
    assert loss.item() > ground_loss(world, feet).item() + 1
    (slope,) = torch.autograd.grad(loss, cut_out)
    assert float(slope[..., 168:172, 32:44].sum()) > 0  # beside the feet: nearer
    assert float(slope[..., 184:, 32:88].sum()) > 0  # at the rim: nearer
    assert float(slope[..., 168:172, 48:72].sum()) < 0  # the feet: farther
    assert not slope[..., :100, :].any()


def test_the_ground_is_learnt_only_where_people_stand_as_the_camera_saw_them() -> None:
    mask, world = standing()
    assert float(ground_loss(world, contacts_of(mask, torch.zeros_like(mask)))) == 0
    feet = contacts_of(mask, torch.ones_like(mask))
    both = ground_loss(world.repeat(2, 1, 1, 1), feet * 2)
    torch.testing.assert_close(both, ground_loss(world, feet))  # a mean over photos


def test_views_say_where_they_show_what_the_camera_saw(with_folder: PeopleData) -> None:
    photos = PeopleAndRooms(with_folder, (STAGE,)).photos[STAGE]
    views = [photos.person(np.random.default_rng(seed), 0, (64, 32)) for seed in range(60)]
    taken = [view for view in views if view.as_taken.any()]
    assert 15 < len(taken) < 55
    for view in views:
        assert view.as_taken.shape == view.mask.shape
        assert set(np.unique(view.as_taken)) <= {0.0, 1.0}


def test_the_depth_weight_scales_the_depth(data: PeopleData) -> None:
    photos = PeopleAndRooms(data, (STAGE,))
    model = MobilePerception().eval()
    batch = photos.batch(0, np.random.default_rng(0))
    (low, figures), (high, _) = (PerceptionTask(photos, w).loss(model, batch) for w in (0.5, 1.0))
    assert high.item() - low.item() == pytest.approx(0.5 * figures["depth"], rel=1e-3)


def test_a_bfloat16_run_starts_from_older_weights(
    data: PeopleData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = PeopleRecipe(
        (Stage(2, 64, 32, 2, 1),), validate_every=1, freeze_norm_from=0, ema_decay=0.9, bfloat16=True, judge_every=3
    )
    monkeypatch.setitem(recipes.PEOPLE_RECIPES, ("perception", "tiny"), recipe)
    first = people_trainer("perception", "tiny", data, tmp_path / "first", Sources())
    assert first.schedule.bfloat16
    assert first.schedule.freeze_norm_from == 0
    assert first.average.decay == 0.9
    assert np.isfinite(list(first.fit().values())).all()
    weights = tmp_path / "first/weights.safetensors"
    second = people_trainer("perception", "tiny", data, tmp_path / "second", Sources(init=weights))
    assert second.metadata["init"] == f"weights.safetensors, 0 of {len(second.model.state_dict())} tensors new"
    tensors, _ = load_tensors(weights)
    assert all(torch.equal(v, tensors[k]) for k, v in second.model.state_dict().items())
    assert all(torch.equal(v, tensors[k]) for k, v in second.average.state.items())


def test_frozen_blocks_keep_their_weights(data: PeopleData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = PeopleRecipe((Stage(2, 64, 32, 2, 1),), validate_every=2, judge_every=9, frozen_blocks=2)
    monkeypatch.setitem(recipes.PEOPLE_RECIPES, ("perception", "tiny"), recipe)
    trainer = people_trainer("perception", "tiny", data, tmp_path / "run", Sources())
    encoder = trainer.model.coarse.encoder
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    trainer.fit()
    changed = {k.split(".weight")[0] for k, v in encoder.state_dict().items() if not torch.equal(v, before[k])}
    assert not any(k.startswith(("stem", "blocks.0.", "blocks.1.")) for k in changed)
    assert any(k.startswith("blocks.2.") for k in changed)


def test_hard_photos_are_drawn_three_times_as_often(data: PeopleData) -> None:
    usual = PeopleAndRooms(data, (STAGE,)).people_share
    first = list_samples("shen2016", data.shen2016)[0].id
    often = PeopleAndRooms(data, (STAGE,), hard=frozenset([first])).people_share
    assert often.sum() == pytest.approx(1)
    assert often[0] / often[1] == pytest.approx(3 * usual[0] / usual[1])
    np.testing.assert_allclose(often[1:] / often[1], usual[1:] / usual[1])


def test_photos_that_are_left_out_are_never_drawn(data: PeopleData) -> None:
    usual = PeopleAndRooms(data, (STAGE,)).people_share
    ids = [sample.id for sample in list_samples("shen2016", data.shen2016)]
    some = PeopleAndRooms(data, (STAGE,), left_out=frozenset(ids[:2])).people_share
    assert not some[:2].any()
    np.testing.assert_allclose(some[2:] / some[2], usual[2:] / usual[2])
    everyone = frozenset(ids + [sample.id for sample in list_samples("ccp", data.ccp)])
    with pytest.raises(OptionError, match="--leave-out: expected some photos"):
        PeopleAndRooms(data, (STAGE,), left_out=everyone)


@pytest.fixture
def with_folder(data: PeopleData, tmp_path: Path) -> PeopleData:
    """``data`` and a folder of yellow landscape photos whose left half is a person, every fifth one upright."""
    for k in range(COUNT):
        size = (72, 48) if k % 5 == 0 else (48, 72)
        mask = np.zeros(size, np.uint8)
        mask[:, : size[1] // 2] = 255
        write(tmp_path / f"wild/images/p{k:02d}.png", plain((0, 200, 200), *size))
        write(tmp_path / f"wild/masks/p{k:02d}.png", mask)
    return replace(data, folders=(Folder(tmp_path / "wild"),))


def test_folders_are_drawn_in_their_own_shape_and_judged(with_folder: PeopleData) -> None:
    photos = PeopleAndRooms(with_folder, (STAGE,))
    assert photos.landscape.sum() == 13  # 17 training photos of the folder, 4 of them upright
    assert photos.landscape_share == pytest.approx(photos.people_share[photos.landscape].sum())
    rng, wide = np.random.default_rng(0), 0
    for _ in range(60):
        batch = photos.batch(0, rng)
        assert batch.people.shape[2:] in ((64, 32), (32, 64))
        assert batch.people.shape[2:] == batch.masks.shape[2:]
        wide += batch.people.shape[3] == 64
        if batch.people.shape[3] == 64:
            assert not batch.one_body.any()  # a folder's mask may hold several people
    assert abs(wide / 60 - photos.landscape_share) < 0.2
    seen: set[tuple[int, int]] = set()

    def shapes(rgb: Tensor) -> dict[str, Tensor]:
        seen.add((rgb.shape[2], rgb.shape[3]))
        return half_mask(rgb)

    assert photos.figures(shapes)["iou_wild"] < 0.5
    assert (32, 64) in seen


def test_people_are_pasted_onto_photos_of_a_run_with_folders(with_folder: PeopleData) -> None:
    photos = PeopleAndRooms(with_folder, (STAGE,))
    empty = np.zeros((64, 32, 3), np.float32)
    rgb, mask = photos.photos[STAGE].pasted(np.random.default_rng(0), empty, np.zeros((64, 32), np.float32))
    assert 0.01 < (mask > 0.5).mean() < 0.99
    assert (rgb[mask > 0.9].max(1) > 0.3).all()  # people are red or yellow
    assert rgb[mask == 0].max() < 0.3  # what is not a person keeps the photo, but for soft rims


def test_small_people_who_are_pasted_are_people_of_the_mask(
    with_folder: PeopleData, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = PeopleAndRooms(with_folder, (STAGE,)).photos[STAGE]
    monkeypatch.setattr(stage_photos, "CROWD_SCALES", (0.25, 0.25))
    before = np.zeros((64, 32), np.float32)
    before[:, :20] = 1
    blue = np.zeros((64, 32, 3), np.float32) + np.float32([0, 0, 1])
    views = [photos.pasted(np.random.default_rng(seed), blue, before) for seed in range(8)]
    assert all((mask >= before).all() for _, mask in views)
    assert any(mask[:, 22:].any() for _, mask in views)
    for rgb, mask in views:
        changed = np.abs(rgb - blue).max(2) > 0.5
        assert (mask[changed] > 0.1).all()  # where the photo shows another person, the mask says so


def test_two_folders_of_one_name_are_refused(with_folder: PeopleData) -> None:
    with pytest.raises(OptionError, match="different names, found wild twice"):
        PeopleAndRooms(replace(with_folder, folders=with_folder.folders * 2), (STAGE,))


def test_a_folder_may_not_have_the_name_of_a_set(with_folder: PeopleData, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    folder = Folder(
        with_folder.folders[0].path.rename(tmp_path / "own/ccp")
    )  # its figures would take the place of CCP's
    with pytest.raises(OptionError, match="different names, found ccp twice"):
        PeopleAndRooms(replace(with_folder, folders=(folder,)), (STAGE,))
