"""Progress: a bar on a terminal, with what runs now and the time left; lines, or nothing, elsewhere."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from portraiture.tools.progress import bar, over, steps

STEPS = """
import sys
from portraiture.tools.progress import above_bars, steps
with steps() as report:
    for k, name in enumerate(("a.tflite", "b.tflite", "c.tflite")):
        report(f"writing {name}", k, 3)
    for k, name in enumerate(("a.tflite", "b.tflite")):
        report(f"checking {name}", k, 2)
    with above_bars():
        print("2 checked", file=sys.stderr)
"""


def on_terminal(command: Sequence[object], folder: Path) -> tuple[int, str]:
    """Exit code and stderr of a command whose stderr is a terminal of 100 columns."""
    main, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    running = subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.DEVNULL, stderr=end, cwd=folder)
    os.close(end)
    said = b""
    while select.select([main], [], [], 300)[0]:
        try:
            read = os.read(main, 4096)
        except OSError:  # the other end is closed
            break
        if not read:
            break
        said += read
    os.close(main)
    return running.wait(timeout=60), said.decode()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photos with masks and maps."""
    for name in ("photos", "maps"):
        (tmp_path / name).mkdir()
    mask = np.zeros((80, 60), np.uint8)
    mask[30:, 20:40] = 255
    for k in range(2):
        rgb = np.random.default_rng(k).integers(0, 256, (80, 60, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"photos/{k}.png"), rgb)
        cv2.imwrite(str(tmp_path / f"maps/{k}_mask.png"), mask)
        np.save(tmp_path / f"maps/{k}_depth.npy", np.linspace(0, 1, 4800, dtype=np.float32).reshape(80, 60))
    return tmp_path


PAIRS = ("-m", "portraiture.tools.cli", "pairs", "--photos", "photos", "--maps", "maps", "--size", "64x48",
         "--workers", 1, "-o", "out")  # fmt: skip


@pytest.mark.slow
def test_a_command_on_a_terminal_shows_its_bar(photos: Path) -> None:
    code, said = on_terminal(PAIRS, photos)
    assert code == 0, said
    assert "pairs" in said
    assert "2/2" in said
    assert "100%" in said


@pytest.mark.slow
def test_the_same_command_elsewhere_shows_none(photos: Path) -> None:
    done = subprocess.run([sys.executable, *map(str, PAIRS)], cwd=photos, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "2 pairs written" in done.stdout


def test_steps_on_a_terminal_say_what_runs_and_the_time_left(tmp_path: Path) -> None:
    code, said = on_terminal(("-c", STEPS), tmp_path)
    assert code == 0, said
    shown = said.replace("\n", "\r").split("\r")
    assert any(line.startswith("writing b.tflite:  33%") and "1/3" in line and "<" in line for line in shown), shown
    assert any(line.startswith("checking b.tflite:  50%") and "1/2" in line for line in shown), shown
    assert any("2/2" in line for line in shown), shown
    assert any(line.strip() == "2 checked" for line in shown), shown


def test_steps_elsewhere_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    with steps("checking") as report:
        report("a.tflite", 0, 2)
        report("b.tflite", 1, 2)
    assert capsys.readouterr().err == "checking a.tflite\nchecking b.tflite\n"


def test_items_come_in_order_and_elsewhere_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(over(iter("abc"), 3, "letter", "reading")) == ["a", "b", "c"]
    with bar(3, "letter") as shown:
        shown.update()
    assert capsys.readouterr().err == ""
