"""Training on what there is: any one task from any one source, masks, mattes or depths, with a split of one's own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from portraiture.reference.errors import InputError, OptionError
from portraiture.tools.training_data import people_data
from portraiture.training.data.cache import photo_with_mask, photo_with_relative_depth
from portraiture.training.data.datasets import Split, list_depths, list_samples, split_of
from portraiture.training.data.labels import read_alpha, read_mask
from portraiture.training.models.perception import MobilePerception
from portraiture.training.tasks.people_and_rooms import PeopleAndRooms
from portraiture.training.tasks.people_sets import Folder, PeopleData, PeopleSets, Stage
from portraiture.training.tasks.perception import PerceptionTask
from portraiture.training.trainers import Sources, people_trainer

STAGE = Stage(2, 64, 64, people=2, rooms=2)
COUNT = 8


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``make("masks", "depths")``: a folder of photos with these labels; its name is theirs."""

    def folder(*labels: str, name: str = "") -> Path:
        root = tmp_path / "data" / (name or "_".join(labels))
        for k in range(COUNT):
            photo = np.full((72, 80, 3), 60, np.uint8)
            photo[20:, 30:50] = 200
            write(root / f"images/{k}.jpg", photo)
            if "masks" in labels:
                write(root / f"masks/{k}.png", np.where(photo[..., 0] > 100, 255, 0).astype(np.uint8))
            if "alpha" in labels:
                write(root / f"alpha/{k}.png", np.where(photo[..., 0] > 100, 100, 0).astype(np.uint8))
            if "depths" in labels:
                slope = np.linspace(60000, 3000, 72, dtype=np.uint16)
                write(root / f"depths/{k}.png", np.tile(slope[:, None], (1, 80)))
        return root

    return folder


def data_of(cache: Path, *folders: Folder) -> PeopleData:
    return PeopleData(None, None, None, (), cache, folders)


@pytest.mark.parametrize(
    ("subject", "labels"),
    [("segmentation", ("masks",)), ("segmentation", ("alpha",)), ("depth", ("depths",)), ("depth", ("masks", "depths")),
     ("perception", ("masks",)), ("perception", ("depths",)), ("perception", ("masks", "depths")),
     ("coarse", ("alpha",)), ("coarse", ("depths",))],
)  # fmt: skip
def test_any_subject_trains_on_one_folder(make: Make, tmp_path: Path, subject: str, labels: tuple[str, ...]) -> None:
    data = data_of(tmp_path / "cache", Folder(make(*labels)))
    trainer = people_trainer(subject, "smoke", data, tmp_path / "run", Sources())
    before = {n: v.clone() for n, v in trainer.model.state_dict().items()}
    figures = trainer.fit()
    assert any(not torch.equal(v, before[n]) for n, v in trainer.model.state_dict().items())
    name = "_".join(labels)
    masks, depths = {f"iou_{name}"} & figures.keys(), {f"whdr_{name}"} & figures.keys()
    assert bool(masks) == (subject != "depth" and name != "depths")
    assert bool(depths) == (subject != "segmentation" and "depths" in labels)
    assert all(np.isfinite(value) for value in figures.values())


@pytest.mark.parametrize(
    ("subject", "labels", "said"),
    [("segmentation", "depths", "expected people with masks, found none"),
     ("depth", "masks", "expected photos with depth, found none")],
)  # fmt: skip
def test_what_a_subject_cannot_learn_from_is_told(
    make: Make, tmp_path: Path, subject: str, labels: str, said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        people_trainer(subject, "smoke", data_of(tmp_path / "cache", Folder(make(labels))), tmp_path / "run", Sources())


def test_nothing_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="found none; add one of shen2016, ccp, nyu and folder"):
        PeopleAndRooms(data_of(tmp_path / "cache"), (STAGE,))


def test_what_is_not_taught_is_said(make: Make, tmp_path: Path) -> None:
    for labels, said in (("masks", "no photos with depth"), ("depths", "no people with masks")):
        data = data_of(tmp_path / "cache", Folder(make(labels)))
        trainer = people_trainer("perception", "smoke", data, tmp_path / "run", Sources())
        assert str(trainer.metadata["lacking"]).startswith(said)
    both = data_of(tmp_path / "cache", Folder(make("masks", "depths")))
    assert "lacking" not in people_trainer("perception", "smoke", both, tmp_path / "run", Sources()).metadata


def test_depth_of_an_unknown_unit_teaches_its_order_alone(make: Make, tmp_path: Path) -> None:
    photos = PeopleAndRooms(data_of(tmp_path / "cache", Folder(make("depths"))), (STAGE,))
    batch = photos.batch(0, np.random.default_rng(0))
    assert not batch.metric.any()
    assert not batch.empty.any()
    assert batch.people.shape == (0, 3, 64, 64)
    task, model = PerceptionTask(photos), MobilePerception().eval()
    farther = batch._replace(levels=torch.where(batch.levels > 0, (batch.levels / 2).clamp(min=6), batch.levels))
    metric = batch._replace(metric=torch.ones(2, dtype=torch.bool))
    with torch.no_grad():
        own, half, known = (task.loss(model, b)[1]["depth"] for b in (batch, farther, metric))
    assert own == pytest.approx(half, rel=0.03)  # other pairs are drawn, nearly the same loss
    assert known > own + 0.01  # NYU's unit counts


def test_levels_keep_the_ratios_of_a_map(make: Make) -> None:
    sample = list_depths("folder", make("depths"))[0]
    level = photo_with_relative_depth(sample, 72, 80)[..., 3]
    assert (level[0, 0], level[-1, 0]) == (255, round(255 * 3000 / 60000))


def test_a_matte_stays_soft(make: Make) -> None:
    sample = list_samples("folder", make("alpha"))[0]
    assert sample.soft
    soft = photo_with_mask(sample, 72, 80)[..., 3]
    assert soft[60, 40] == 100
    assert soft[0, 0] == 0
    both = list_samples("folder", make("masks", "alpha"))[0]
    assert not both.soft  # masks come first


def test_a_matte_may_be_16_bits_or_an_alpha_channel(tmp_path: Path) -> None:
    write(tmp_path / "deep.png", np.full((4, 4), 100 * 257, np.uint16))
    write(tmp_path / "channel.png", np.dstack([np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 100, np.uint8)]))
    write(tmp_path / "opaque.png", np.dstack([np.full((4, 4, 3), 100, np.uint8), np.full((4, 4), 255, np.uint8)]))
    for name in ("deep", "channel", "opaque"):
        assert (read_alpha(tmp_path / f"{name}.png") == 100).all()
    (tmp_path / "no.png").write_text("no picture")
    with pytest.raises(InputError, match="expected a matte"):
        read_alpha(tmp_path / "no.png")


def test_a_mask_of_class_numbers_is_told(tmp_path: Path) -> None:
    for most, refused in ((0, False), (1, True), (2, True), (3, False), (255, False)):
        write(tmp_path / "m.png", np.full((4, 4), most, np.uint8))
        if refused:
            with pytest.raises(InputError, match=rf"found no value above {most}; multiply it by 255"):
                read_mask(tmp_path / "m.png")
        else:
            assert read_mask(tmp_path / "m.png").all() == (most == 255)


def test_a_folders_weight_is_how_often_it_is_drawn(make: Make, tmp_path: Path) -> None:
    one, other = make("masks", name="one"), make("masks", name="other")
    sets = PeopleSets.of(data_of(tmp_path / "cache", Folder(one), Folder(other, 3.0)))
    shares = sets.draw_shares(frozenset())
    assert len(shares) == 12
    assert shares[6:].sum() == pytest.approx(3 * shares[:6].sum())


def test_a_split_of_ones_own(make: Make, tmp_path: Path) -> None:
    one, other = make("masks", name="one"), make("masks", name="other")
    data = data_of(tmp_path / "cache", Folder(one), Folder(other))
    sets = PeopleSets.of(replace(data, held_out=frozenset({"one/2", "one/5"})))
    held_out = {name: [s.id for s in split_of(found, Split.VALIDATION)] for name, found in sets.folders.items()}
    assert held_out == {"one": ["2", "5"], "other": ["6", "7"]}  # a set that is not named keeps the last ones
    trained = [s.id for s in split_of(sets.folders["one"], Split.TRAIN)]
    assert trained == ["0", "1", "3", "4", "6", "7"]
    both = PeopleSets.of(replace(data, held_out=frozenset({"0"})))
    assert [[s.id for s in split_of(found, Split.VALIDATION)] for found in both.folders.values()] == [["0"], ["0"]]
    with pytest.raises(
        OptionError, match="--held-out: expected ids of photos of --data, found 1 that are not there, such as three/9"
    ):
        PeopleSets.of(replace(data, held_out=frozenset({"three/9"})))


def test_a_folder_without_labels_is_told(make: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected masks/, alpha/, hair/, depths/ beside images/"):
        PeopleSets.of(data_of(tmp_path / "cache", Folder(make(name="bare"))))


def test_options_name_folders_weights_and_ids(make: Make, tmp_path: Path) -> None:
    folder, ids = make("masks"), tmp_path / "ids.txt"
    ids.write_text("0\n\nmasks/3\n")
    options = (f"folder={folder}:2.5", f"folder={make('depths')}")
    found = people_data(options, tmp_path / "run", ids)
    assert found.folders == (Folder(folder, 2.5), Folder(tmp_path / "data/depths"))
    assert (found.shen2016, found.nyu, found.held_out) == (None, None, frozenset({"0", "masks/3"}))
    for weight in ("0", "-1", "inf", "much"):
        with pytest.raises(OptionError, match=r"expected (a weight above 0|folder=DIR:WEIGHT)"):
            people_data((f"folder={folder}:{weight}",), tmp_path / "run", None)
    with pytest.raises(InputError, match="expected a folder, found none at"):
        people_data(("folder=nowhere",), tmp_path / "run", None)
    (tmp_path / "empty.txt").write_text("\n")
    for name, said in (("empty.txt", "expected an id in each line"), ("none.txt", "expected a list of ids")):
        with pytest.raises(InputError, match=said):
            people_data((f"folder={folder}",), tmp_path / "run", tmp_path / name)
