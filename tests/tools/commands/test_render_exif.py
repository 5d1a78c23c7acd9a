"""``render`` keeps what the camera wrote, and leaves the place out where it is asked to."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from portraiture.tools.commands import render

GPS = 0x8825


@pytest.mark.parametrize("options", [(), ("--strip-location",)])
def test_a_portrait_keeps_date_and_place(tmp_path: Path, astronaut: np.ndarray, options: tuple[str, ...]) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x0132] = 6, "2026:05:04 03:02:01"
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 8.0, 6.0)})
    stored = Image.fromarray(astronaut).resize((96, 128)).transpose(Image.Transpose.ROTATE_90)
    stored.save(tmp_path / "me.jpg", exif=exif, quality=95)
    arguments = [str(tmp_path / "me.jpg"), "-o", str(tmp_path / "out.jpg"), *options]
    result = CliRunner().invoke(render.command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out.jpg") as portrait:
        assert portrait.size == (96, 128)
        kept = portrait.getexif()
        assert kept[0x0132] == "2026:05:04 03:02:01"
        assert 0x0112 not in kept
        assert bool(kept.get_ifd(GPS)) is not bool(options)
