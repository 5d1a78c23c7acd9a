"""How many of our modules the most common command loads: a photo's path through the house stays short."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from portraiture.reference.photo.write import write_photo

MOST = 50

COUNT = """
import atexit, json, sys
from portraiture.tools import cli

found = lambda: [name for name in sys.modules if name.startswith("portraiture.")]
atexit.register(lambda: print(json.dumps(sorted(found()))))
cli.main()
"""


def loaded(*arguments: object) -> list[str]:
    """Our modules, packages among them, that a command has loaded when it ends."""
    command = [sys.executable, "-c", COUNT, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("photo") / "me.jpg"
    write_photo(path, astronaut)
    return path


def test_a_render_in_pytorch_loads_few_modules(photo: Path, tmp_path: Path) -> None:
    names = loaded("render", photo, "-o", tmp_path / "out.png")
    assert (tmp_path / "out.png").is_file()
    assert len(names) <= MOST, names
    assert "portraiture.training.models.filters.rnn" in names  # it was the filter that rendered


def test_no_format_and_no_bundle_is_loaded_for_it(photo: Path, tmp_path: Path) -> None:
    names = loaded("predict", photo, "-o", tmp_path / "maps")
    rooms = ("targets", "bundle", "tflite", "coreml", "onnx", "mil", "parity", "writing", "doctor")
    unwanted = [n for n in names if n.split(".")[1:3] in [["export", room] for room in rooms]]
    assert unwanted == []
