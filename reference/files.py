"""Files read whole and written whole: a file appears complete under its name, or not at all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from portraiture.reference.errors import InputError


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, to a temporary name first."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")
    temporary.replace(path)


def read_bytes(path: Path, what: str) -> bytes:
    if path.is_dir():
        raise InputError(f"{path}: expected {what}, found a folder; name a file inside it")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: expected {what}, found no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: expected {what}, found: {error.strerror}; check its rights") from None


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: expected to write here, found: {error.strerror}; check the folder") from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name, then rename it."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
