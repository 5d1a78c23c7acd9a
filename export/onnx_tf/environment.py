"""An environment of its own for onnx-tf: the TensorFlow it needs fits neither our numpy nor our protobuf.

It is made once, under the user's cache folder, named after the pins; a killed or failed attempt leaves nothing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from portraiture.reference.errors import InputError
from portraiture.reference.files import cache_folder

PINS = Path(__file__).with_name("pins.txt")

_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


def environment_folder() -> Path:
    """Where the environment of these pins is or will be."""
    return cache_folder() / f"onnx-tf-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]}"


def interpreter_of(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / "bin" / "python"


def clean_environment() -> Mapping[str, str]:
    """The process environment without what would lead a child to another Python's packages."""
    return {k: v for k, v in os.environ.items() if k not in _FOREIGN}


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        # pip says several things and then what was wrong
        said = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")] or lines[-1:]
        reason = said[-1] if said else f"exit code {done.returncode}"
        raise InputError(f"--route onnx-tf: expected pip to install {PINS.name}, found: {reason};"
                         " check the network and the package index, then run it again")  # fmt: skip


def make_environment(report: Callable[[str], None]) -> Path:
    """The Python of onnx-tf's environment, which is made where it is absent.

    Args:
        report: called with a line before the minutes that it takes.

    Raises:
        InputError: it cannot be installed.
    """
    folder = environment_folder()
    if interpreter_of(folder).is_file():
        return interpreter_of(folder)
    report(f"making the environment of onnx-tf, once, some minutes and 1.3 GB: {folder}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _run([sys.executable, "-m", "venv", temporary])
        # the pins are complete; what TensorFlow asks for besides them (a board, a cloud login) is not needed
        _run([interpreter_of(temporary), "-m", "pip", "install", "--no-deps", "--no-input", "--quiet",
              "--disable-pip-version-check", "--only-binary", ":all:", "-r", PINS])  # fmt: skip
        if not folder.exists():  # another process may have been faster
            os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return interpreter_of(folder)
