"""``render`` through a lens in its own units: EXIF defaults, both renderers, what is printed, messages."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.photo.read import read_photo
from portraiture.tools.commands import render


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """By a phone: 6.86 mm at f/1.78, as 24 mm before film."""
    path = tmp_path_factory.mktemp("lens") / "me.jpg"
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x829D: 1.78, 0x920A: 6.86, 0xA405: 24})
    Image.fromarray(astronaut).resize((96, 128)).save(path, exif=exif, quality=95)
    return path


def run(photo: Path, target: Path, *options: object) -> Result:
    arguments = [str(photo), "-o", str(target), *map(str, options)]
    return CliRunner().invoke(render.command, arguments, catch_exceptions=False)


def share(result: Result) -> float:
    found = re.search(r"aperture (0\.\d+) of the diagonal$", result.stdout.strip())
    assert found, result.stdout
    return float(found[1])


def test_exif_is_the_default(tmp_path: Path, photo: Path) -> None:
    said = run(photo, tmp_path / "a.png", "--distance", 0.8).stdout
    assert said.startswith(f"{photo}: f/1.78 at 24 mm (35 mm film): the person at 0.80 m (given), background at ")
    real = run(photo, tmp_path / "b.png", "--sensor", "9.8x7.3", "--f-number", 2, "--distance", 0.8).stdout
    assert "f/2 at 6.86 mm (9.8x7.3 mm): the person at 0.80 m (given)" in real


def test_both_renderers_serve_it(tmp_path: Path, photo: Path) -> None:
    shares = []
    for renderer, number in (("rnn", 1.8), ("crf", 1.8), ("rnn", 8)):
        result = run(photo, tmp_path / f"{renderer}{number}.png", "--renderer", renderer,
                     "--f-number", number, "--focal-length", 50)  # fmt: skip
        assert "(shoulders of 0.45 m on " in result.stdout
        shares.append(share(result))
    rnn, crf, small = (read_photo(tmp_path / name).astype(float) for name in ("rnn1.8.png", "crf1.8.png", "rnn8.png"))
    assert shares[0] == shares[1] == pytest.approx(8 / 1.8 * shares[2], abs=5e-4)
    own = read_photo(photo)
    assert np.abs(rnn - own).mean() > 2 * np.abs(small - own).mean()
    assert np.sqrt(((rnn - crf) ** 2).mean()) < 255 * 10 ** (-35 / 20), "35 dB or more from each other"


def test_the_filters_end_is_one_line(tmp_path: Path, photo: Path) -> None:
    result = run(photo, tmp_path / "a.png", "--f-number", 1, "--focal-length", 135)
    assert share(result) == 0.04
    assert result.stderr.count("\n") == 1
    assert re.search(r"the RNN filter's range ends at 0\.04, which is used; --renderer crf", result.stderr)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (("--f-number", 1.8, "--aperture", 0.02), OptionError, "--aperture: expected it alone, found --f-number"),
        (("--f-number", 0), OptionError, "--f-number: expected 0.5 to 128, found 0; try 1.8"),
        (("--focal-length", "nan"), OptionError, "--focal-length: expected 1 to 2000, found nan"),
        (("--sensor", "36"), OptionError, "--sensor: expected WIDTHxHEIGHT in mm, found '36'"),
        (("--sensor", "36x-24"), OptionError, "--sensor: expected 1 to 200, found -24"),
        (("--distance", 0), OptionError, "--distance: expected 0.1 to 1000, found 0; try 2"),
        (("--f-number", 2, "--focal-length", 300, "--distance", 0.2), InputError, "beyond the focal length"),
    ],
)
def test_bad_values_are_one_line(
    tmp_path: Path, photo: Path, options: tuple[object, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=re.escape(said)) as refused:
        run(photo, tmp_path / "out.png", *options)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out.png").exists()


def test_a_photo_that_says_nothing_needs_the_options(tmp_path: Path, astronaut: np.ndarray) -> None:
    path = tmp_path / "bare.png"
    Image.fromarray(astronaut).resize((96, 128)).save(path)
    for options, lacking in ((("--focal-length", 50), "--f-number"), (("--f-number", 2), "--focal-length")):
        with pytest.raises(InputError, match=f"bare.png: {lacking}: expected one, found none in the photo's EXIF"):
            run(path, tmp_path / "out.png", *options)
    assert not (tmp_path / "out.png").exists()
