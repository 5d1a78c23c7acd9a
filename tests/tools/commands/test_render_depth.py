"""``render --depth embedded`` and ``--write-depth``: the phone's own depth and matte, and ours in the portrait."""

import io
import re
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.photo.apple_depth import PORTRAIT_URN
from portraiture.reference.photo.apple_write import depth_picture, made_auxiliary
from portraiture.reference.photo.read import open_photo
from portraiture.reference.photo.stored_depth import stored_depth
from portraiture.reference.photo.write import write_photo
from portraiture.tools.commands import render

H, W = 128, 96


@pytest.fixture(scope="module")
def picture(astronaut: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(astronaut, (W, H), interpolation=cv2.INTER_AREA))


def person(top: int = 30) -> np.ndarray:
    mask = np.zeros((H, W), np.uint8)
    mask[top:110, 35:60] = 255
    return mask


def inverse() -> np.ndarray:
    """A person at 1 m, and behind, at 5 m, three quarters of the width; the rest is as near as the person."""
    z = np.where(person() > 0, 1.0, 5.0)
    z[:, 70:] = 1.0
    return 1 / z


def apple(path: Path, picture: np.ndarray, matte: np.ndarray | None) -> Path:
    """A HEIC portrait."""
    further = [depth_picture(stored_depth(inverse()))]
    urns = ["urn:mpeg:hevc:2015:auxid:2"]
    if matte is not None:
        further.append(pillow_heif.from_pillow(Image.fromarray(matte))[0])
        urns.append(PORTRAIT_URN)
    file = io.BytesIO()
    heif = pillow_heif.from_pillow(Image.fromarray(picture))
    heif.save(file, quality=95, chroma=444, append_images=further, primary_index=0)
    path.write_bytes(made_auxiliary(file.getvalue(), urns))
    return path


def run(photo: Path, target: Path, *options: object) -> Result:
    arguments = [str(photo), "-o", str(target), *map(str, options)]
    return CliRunner().invoke(render.command, arguments, catch_exceptions=False)


def change(photo: Path, portrait: Path) -> np.ndarray:
    """How much each pixel moved, of the photo's 8-bit sRGB."""
    return np.abs(open_photo(photo).rgb.astype(int) - open_photo(portrait).rgb).max(axis=2)


@pytest.mark.parametrize("renderer", ["rnn", "crf"])
def test_the_embedded_depth_says_what_is_blurred(tmp_path: Path, picture: np.ndarray, renderer: str) -> None:
    photo = apple(tmp_path / "me.heic", picture, person())
    result = run(photo, tmp_path / "out.png", "--depth", "embedded", "--aperture", 0.03, "--renderer", renderer)
    assert result.exit_code == 0
    assert result.stderr == ""
    moved = change(photo, tmp_path / "out.png")
    assert moved[:20, :55].mean() > 4 * moved[:20, 85:].mean()  # far is blurred, near is not
    assert moved[50:100, 38:57].mean() < 1  # the person of the matte


def test_the_matte_is_the_mask_unless_another_is_given_or_it_shows_nobody(tmp_path: Path, picture: np.ndarray) -> None:
    photo = apple(tmp_path / "me.heic", picture, person(top=80))
    write_photo(tmp_path / "given.png", person())
    depth = ("--depth", "embedded", "--aperture", 0.03)
    run(photo, tmp_path / "matte.png", *depth)
    run(photo, tmp_path / "mask.png", *depth, "--mask", tmp_path / "given.png")
    run(photo, tmp_path / "alone.png", "--mask", "embedded", "--aperture", 0.03)
    matte, mask, alone = (open_photo(tmp_path / f"{n}.png").rgb.astype(int) for n in ("matte", "mask", "alone"))
    assert np.abs(matte - mask).max() > 8
    assert np.abs(matte - alone).max() > 8  # the predicted depth
    nobody = apple(tmp_path / "nobody.heic", picture, np.zeros((H, W), np.uint8))
    assert run(nobody, tmp_path / "nobody.png", "--depth", "embedded").exit_code == 0  # the predicted mask
    with pytest.raises(InputError, match="--mask embedded: expected a HEIC portrait with a matte that shows somebody"):
        run(nobody, tmp_path / "x.png", "--mask", "embedded")
    assert not (tmp_path / "x.png").exists()


def test_a_depth_that_was_not_asked_for_is_offered_in_one_line(tmp_path: Path, picture: np.ndarray) -> None:
    result = run(apple(tmp_path / "me.heic", picture, person()), tmp_path / "out.png")
    assert result.stderr.count("\n") == 1
    assert f"the file holds a depth of {W}x{H} and a portrait matte of {W}x{H} (Apple's portrait)" in result.stderr
    assert result.stderr.rstrip().endswith("--depth embedded uses it")
    np.save(tmp_path / "depth.npy", np.tile(np.linspace(0, 1, W, dtype=np.float32), (H, 1)))
    assert run(tmp_path / "me.heic", tmp_path / "out.png", "--depth", tmp_path / "depth.npy").stderr == ""


def test_a_lens_reads_the_distances_of_the_file(tmp_path: Path, picture: np.ndarray) -> None:
    """The person at 1 m, the background five times as far, as the disparity says."""
    photo = apple(tmp_path / "me.heic", picture, person())
    lens = ("--f-number", 1.8, "--focal-length", 50, "--distance", 2)
    result = run(photo, tmp_path / "out.png", "--depth", "embedded", *lens)
    (found,) = re.findall(r"background at ([\d.]+) m", result.stdout)
    assert float(found) == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("name", ["plain.jpg", "plain.heic", "noted.jpg"])
def test_a_photo_without_one_is_refused_in_one_line(tmp_path: Path, picture: np.ndarray, name: str) -> None:
    write_photo(tmp_path / name, picture)
    if name == "noted.jpg":
        exif = Image.Exif()
        exif[0x010F] = "Maker"
        Image.fromarray(picture).save(tmp_path / name, exif=exif.tobytes())
    with pytest.raises(InputError, match="--depth embedded: expected a photo that holds a depth") as caught:
        run(tmp_path / name, tmp_path / "out.png", "--depth", "embedded")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", ["out.jpg", "out.heic"])
def test_a_written_depth_renders_the_same_portrait_again(tmp_path: Path, picture: np.ndarray, name: str) -> None:
    write_photo(tmp_path / "me.png", picture)
    write_photo(tmp_path / "mask.png", person())
    mask = ("--mask", tmp_path / "mask.png")
    assert run(tmp_path / "me.png", tmp_path / name, *mask, "--write-depth", "--aperture", 0).stderr == ""
    run(tmp_path / "me.png", tmp_path / "first.png", *mask, "--aperture", 0.03)
    run(tmp_path / name, tmp_path / "again.png", *mask, "--aperture", 0.03, "--depth", "embedded")
    first, again, sharp = (open_photo(tmp_path / n).rgb.astype(float) for n in ("first.png", "again.png", name))
    assert np.abs(first - again).mean() < 1.5
    assert np.abs(first - sharp).mean() > 3


@pytest.mark.parametrize("name", ["out.png", "out.webp", "out.avif", "folder"])
def test_another_output_has_no_place_for_a_depth(tmp_path: Path, picture: np.ndarray, name: str) -> None:
    write_photo(tmp_path / "me.png", picture)
    with pytest.raises((InputError, OptionError), match=r"(?s)expected .*\.heic.*found") as caught:
        run(tmp_path / "me.png", tmp_path / name, "--write-depth")
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["me.png"]


def test_several_photos_take_their_own_depths(tmp_path: Path, picture: np.ndarray) -> None:
    photos = [apple(tmp_path / f"{k}.heic", picture, person()) for k in range(2)]
    arguments = [*map(str, photos), "-o", str(tmp_path / "out"), "--depth", "embedded"]
    assert CliRunner().invoke(render.command, arguments, catch_exceptions=False).exit_code == 0
    assert len(list((tmp_path / "out").iterdir())) == 2
