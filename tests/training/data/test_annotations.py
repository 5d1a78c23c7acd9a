"""Masks from COCO's and Supervisely's annotations: drawn once, turned as the photo is, and what is wrong is told."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from portraiture.reference.errors import InputError
from portraiture.reference.photo.read import read_photo
from portraiture.training.data.annotation_shapes import is_person
from portraiture.training.data.datasets import list_samples
from portraiture.training.data.labels import mask_size, read_mask
from portraiture.training.data.layouts import Sample

HEIGHT, WIDTH = 40, 150

# an ellipse with a hole, by pycocotools 2.0.10
RING = (
    "Z>5R12N2N2O0O2N2O000O2O000O2O000O2O00000O2O0000000O2O000000000O2O0000000000000O2O00]OJ46LJ46KL44LL44KN42LN42LN"
    "42LN42LN42LN42LN42LN42LN42LN42LN42ML44LL44MJ46LJ46?0000000000000000000000000000000000000000001N100000000000001"
    "N10000000001N100000001N1000001N10001N10001N10001N2N101N2N2N_h0"
)


def ring() -> np.ndarray:
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    hole = ((xx - 60) / 10) ** 2 + ((yy - 18) / 5) ** 2 < 1
    return np.asarray((((xx - 70) / 60) ** 2 + ((yy - 20) / 15) ** 2 < 1) & ~hole)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/portraiture"


def photo(path: Path, orientation: int = 1, height: int = HEIGHT, width: int = WIDTH) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(path, exif=exif)
    return path


def coco(root: Path, shapes: list[Any], classes: tuple[str, ...] = ("person", "dog"), **image: Any) -> Path:
    """A folder of one photo; the first shape is of the last class, the others of the first."""
    if not (root / "images/a.jpg").exists():
        photo(root / "images/a.jpg")
    whole = {
        "images": [{"id": 7, "file_name": "train/a.jpg", "height": HEIGHT, "width": WIDTH, **image}],
        "categories": [{"id": k, "name": name} for k, name in enumerate(classes)],
        "annotations": [
            {"image_id": 7, "category_id": 0 if k else len(classes) - 1, "segmentation": s}
            for k, s in enumerate(shapes)
        ],
    }
    (root / "annotations.json").write_text(json.dumps(whole))
    return root


SQUARE = [[0, 0, 5, 0, 5, 5, 0, 5]]
TRIANGLE = [[10.2, 5.5, 60.7, 8.1, 40.0, 30.9]]


def only(root: Path) -> Sample:
    (sample,) = list_samples("folder", root)
    return sample


def refused(root: Path, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        list_samples("folder", root)
    assert "\n" not in str(error.value)


def test_run_lengths_compressed_and_plain(tmp_path: Path) -> None:
    plain = np.diff(np.flatnonzero(np.diff(np.concatenate([[-1], ring().T.ravel(), [-1]]))))
    runs = [0, *plain] if ring()[0, 0] else list(plain)
    for name, counts in (("text", RING), ("numbers", [int(n) for n in runs])):
        mask = read_mask(only(coco(tmp_path / name, [SQUARE, {"size": [HEIGHT, WIDTH], "counts": counts}])).label)
        assert np.array_equal(mask, ring()), name


def test_polygons_of_people_alone(tmp_path: Path) -> None:
    mask = read_mask(only(coco(tmp_path, [SQUARE, TRIANGLE])).label)
    assert abs(int(mask.sum()) - 603) < 17  # its area; pycocotools has 598
    assert mask[15, 38]
    assert not mask[2, 2]  # the square is a dog


def test_a_single_class_is_people_whatever_its_name(tmp_path: Path) -> None:
    assert read_mask(only(coco(tmp_path / "one", [SQUARE], ("dancers",))).label).sum() == 25
    refused(
        coco(tmp_path / "two", [SQUARE], ("dancers", "dogs")), "expected a class such as person, found dancers, dogs"
    )


def test_a_photo_that_shows_nobody_has_an_empty_mask(tmp_path: Path) -> None:
    assert not read_mask(only(coco(tmp_path, [SQUARE])).label).any()


@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 7, 8])
@pytest.mark.parametrize("annotated", ["as shown", "as stored"])
def test_a_mask_is_turned_as_its_photo(tmp_path: Path, orientation: int, annotated: str) -> None:
    photo(tmp_path / "images/a.png", orientation)
    on_its_side = orientation >= 5
    height, width = (WIDTH, HEIGHT) if on_its_side and annotated == "as shown" else (HEIGHT, WIDTH)
    # the photo is grey but for a corner that is annotated
    stored = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    stored[:6, :6] = 255
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(stored).save(tmp_path / "images/a.png", exif=exif)
    bright = (read_photo(tmp_path / "images/a.png")[..., 0] > 200) if annotated == "as shown" else stored[..., 0] > 200
    if annotated == "as stored" and orientation == 3:
        bright = read_photo(tmp_path / "images/a.png")[..., 0] > 200  # of equal sizes: as shown
    y, x = (int(v.min()) for v in np.nonzero(bright))
    square = [[x, y, x + 6, y, x + 6, y + 6, x, y + 6]]
    coco(tmp_path, [SQUARE, square], file_name="a.png", height=height, width=width)
    (tmp_path / "images/a.jpg").unlink()
    sample = only(tmp_path)
    shown = read_photo(sample.photo)
    assert mask_size(sample.label) == shown.shape[:2]
    assert np.array_equal(read_mask(sample.label), shown[..., 0] > 200)


def test_masks_are_drawn_once_and_anew_where_annotations_change(tmp_path: Path, cache: Path) -> None:
    label = only(coco(tmp_path, [SQUARE, TRIANGLE])).label
    assert label.parent.parent == cache
    written = label.stat().st_mtime_ns
    assert only(tmp_path).label == label
    assert label.stat().st_mtime_ns == written
    assert only(coco(tmp_path, [SQUARE, SQUARE])).label.parent != label.parent
    assert list(cache.glob(".*")) == []


def test_a_lone_file_in_a_folder_of_annotations_is_taken(tmp_path: Path) -> None:
    coco(tmp_path, [SQUARE, TRIANGLE])
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations.json").rename(tmp_path / "annotations/people.json")
    assert read_mask(only(tmp_path).label).any()
    (tmp_path / "annotations/more.json").write_text("{}")
    refused(tmp_path, "expected one file of annotations, found 2")


@pytest.mark.parametrize(
    ("text", "said"),
    [("no json", "expected annotations in JSON"), ("[]", "expected COCO's images"),
     ('{"images": []}', "expected COCO's images"),
     ('{"images": [{"id": 1}], "annotations": [], "categories": []}', "expected COCO's images")],
)  # fmt: skip
def test_other_json_is_told(tmp_path: Path, text: str, said: str) -> None:
    coco(tmp_path, [])
    (tmp_path / "annotations.json").write_text(text)
    refused(tmp_path, said)


@pytest.mark.parametrize(
    "shape",
    [[], [[1, 2, 3]], [["a", "b"]], {"counts": "Z>5R12N"}, {"counts": [3, 4]}, {"counts": [-5, 6005]}, {}, 3,
     {"counts": "\u00ff"}, {"counts": ""}, {"counts": []}],
)  # fmt: skip
def test_damaged_shapes_are_told(tmp_path: Path, shape: Any, cache: Path) -> None:
    refused(coco(tmp_path, [SQUARE, shape]), r"expected shapes of a\.jpg")
    assert not list(cache.glob("*")) + list(cache.glob(".*"))


def test_photos_that_do_not_fit_are_told(tmp_path: Path) -> None:
    coco(tmp_path, [SQUARE], height=HEIGHT + 1)
    refused(tmp_path, r"a\.jpg: expected annotations of 40x150 \(height x width\), found 41x150")
    coco(tmp_path, [SQUARE])
    photo(tmp_path / "images/b.jpg")
    refused(tmp_path, r"expected annotations of b\.jpg, found none")


def supervisely(root: Path, *objects: dict[str, Any], name: str = "a.jpg.json", **size: int) -> Path:
    photo(root / "img/a.jpg")
    (root / "ann").mkdir(exist_ok=True)
    whole = {"size": {"height": HEIGHT, "width": WIDTH, **size}, "objects": list(objects)}
    (root / "ann" / name).write_text(json.dumps(whole))
    return root


def bitmap(mask: np.ndarray, origin: tuple[int, int], title: str = "person_bmp") -> dict[str, Any]:
    png = cv2.imencode(".png", np.dstack([mask.astype(np.uint8) * 255] * 4))[1].tobytes()
    data = base64.b64encode(zlib.compress(png)).decode()
    return {"classTitle": title, "bitmap": {"origin": list(origin), "data": data}}


def polygon(outer: list[list[int]], *holes: list[list[int]], title: str = "person_poly") -> dict[str, Any]:
    return {"classTitle": title, "bitmap": None, "points": {"exterior": outer, "interior": list(holes)}}


BOX = [[20, 5], [60, 5], [60, 30], [20, 30]]
HOLE = [[30, 10], [40, 10], [40, 20], [30, 20]]


@pytest.mark.parametrize("name", ["a.jpg.json", "a.json"])
def test_supervisely_polygons_and_bitmaps(tmp_path: Path, name: str) -> None:
    spot = np.ones((4, 6), bool)
    spot[0, 0] = False
    root = supervisely(
        tmp_path, polygon(BOX, HOLE), bitmap(spot, (100, 7)), polygon([[0, 0], [9, 0], [9, 9]], title="dog"), name=name
    )
    mask = read_mask(only(root).label)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[5:31, 20:61] = True
    expected[10:21, 30:41] = False
    expected[7:11, 100:106] = spot
    assert np.array_equal(mask, expected)


@pytest.mark.parametrize(
    "thing",
    [bitmap(np.ones((4, 6), bool), (WIDTH - 3, 0)), bitmap(np.ones((4, 6), bool), (-1, 0)), {"classTitle": "person"},
     {"classTitle": "person", "bitmap": {"origin": [0, 0], "data": "no base64"}}, {"bitmap": None},
     {"classTitle": "person", "bitmap": {"origin": [0, 0], "data": base64.b64encode(zlib.compress(b"x")).decode()}}],
)  # fmt: skip
def test_damaged_objects_are_told(tmp_path: Path, thing: dict[str, Any]) -> None:
    refused(supervisely(tmp_path, thing), "expected Supervisely's size and objects")


def test_supervisely_classes_are_people_by_name_or_by_being_the_only_one(tmp_path: Path) -> None:
    assert read_mask(only(supervisely(tmp_path / "one", polygon(BOX, title="subject"))).label).any()
    two = supervisely(tmp_path / "two", polygon(BOX, title="subject"), polygon(HOLE, title="dog"))
    refused(two, "expected a class such as person, found dog, subject")
    refused(supervisely(tmp_path / "box", {**polygon(BOX), "geometryType": "rectangle"}), "a person as rectangle")


def test_a_photo_without_its_file_is_told(tmp_path: Path) -> None:
    refused(supervisely(tmp_path, name="b.jpg.json"), r"expected a\.jpg\.json, found none")


@pytest.mark.parametrize(
    ("name", "person"),
    [("person", True), ("Person_bmp", True), ("human-poly", True), ("people", True), ("women", True),
     ("person 2", True), ("man hole", False), ("person_shadow", False), ("personal bag", False), ("neutral", False),
     ("dog", False), ("", False)],
)  # fmt: skip
def test_names_of_people(name: str, person: bool) -> None:
    assert is_person(name) == person
