"""The contact sheet: where its crops lie, what the plain blur is, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.tools.evaluate.look import CROP_PX, GAP_PX, main, plain_blur, telling_crops, write_look

HEIGHT, WIDTH = 600, 400


def _person() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH))
    mask[100:500, 150:250] = 1
    return mask


def test_crops_are_where_pictures_differ_at_the_outline_and_at_the_lower_end() -> None:
    difference = np.zeros((HEIGHT, WIDTH))
    difference[180:200, 140:160] = 9  # at the outline
    difference[300:360, 300:360] = 99  # far from it
    (rows, columns), (low_rows, low_columns) = telling_crops(_person(), difference)
    assert {*range(180, 200)} <= {*range(rows.start, rows.stop)}
    assert {*range(140, 160)} <= {*range(columns.start, columns.stop)}
    assert low_rows.start < 500 < low_rows.stop
    assert abs((low_columns.start + low_columns.stop) / 2 - 200) <= 1
    assert all(s.stop - s.start == CROP_PX for s in (rows, columns, low_rows, low_columns))


def test_plain_blur_keeps_the_person_and_blurs_the_rest() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    blurred, person = plain_blur(photo, _person()), _person() == 1
    np.testing.assert_array_equal(blurred[person], photo[person])
    assert blurred[~person].std() < 0.2 * photo[~person].std()


def test_a_row_for_each_photo_with_a_portrait_and_a_mask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = photos, portraits, maps = tuple(tmp_path / name for name in ("photos", "portraits", "maps"))
    for folder in folders:
        folder.mkdir()
    photo = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for stem in "abc":
        write_photo(photos / f"{stem}.png", photo)
    with pytest.raises(InputError, match="found none; run portraiture render and predict"):
        write_look(photos, portraits, maps, tmp_path / "look.png")
    options = [str(photos), "--portraits", str(portraits), "--maps", str(maps), "-o", str(tmp_path / "look.png")]
    assert main(options) == 2
    assert capsys.readouterr().err.startswith(f"look: {photos}: expected photos")
    for stem in "ab":
        write_photo(portraits / f"{stem}_portrait.png", photo)
        write_photo(maps / f"{stem}_mask.png", np.repeat(_person()[..., None] * 255, 3, 2).astype(np.uint8))
    assert main(options) == 0
    assert capsys.readouterr().out.endswith("look.png: 2 photos\n")
    sheet = read_photo(tmp_path / "look.png")
    assert sheet.shape == (2 * (2 * CROP_PX + GAP_PX), 15 * CROP_PX + 7 * GAP_PX, 3)
