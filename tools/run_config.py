"""``run.toml``: what a run was trained with, written into its folder and read again by ``train --config``."""

import importlib.metadata
import json
import platform
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from portraiture.reference.errors import InputError
from portraiture.reference.files import read_bytes, write_text

FILE = "run.toml"

OPTIONS = "train"
"""Table of the command's options by name."""

PACKAGES = ("portraiture", "torch", "numpy", "opencv-python-headless")

NOT_KEPT = ("run", "resume", "config")
"""Options that are a run's own, not its configuration."""


def write_config(run: Path, options: Mapping[str, Any], data: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a run's configuration.

    Args:
        run: its folder.
        options: of the command, by parameter name; paths are written absolute, what is None or empty is left out.
        data: of each set its number of photos and its digest, by name.
    """
    kept = {k: _absolute(v) for k, v in options.items() if k not in NOT_KEPT and v not in (None, (), False)}
    versions = {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in PACKAGES}}
    tables = {OPTIONS: kept, "versions": versions, **{f"data.{name}": found for name, found in data.items()}}
    write_text(run / FILE, "\n".join(_table(name, table) for name, table in tables.items()))


def _absolute(value: Any) -> Any:
    """Paths, also those behind ``NAME=``, as absolute text."""
    if isinstance(value, Path):
        return str(value.absolute() if value.exists() else value)  # "shipped" is no file
    if isinstance(value, tuple):
        return [_absolute(v) for v in value]
    if isinstance(value, str) and "=" in value:
        name, _, place = value.partition("=")
        return f"{name}={Path(place).absolute()}"
    return value


def _table(name: str, values: Mapping[str, Any]) -> str:
    """A table of TOML; texts, numbers and lists of texts are written alike in JSON."""
    parts = ".".join(json.dumps(part, ensure_ascii=False) for part in name.split(".", 1))
    return "".join(
        [f"[{parts}]\n", *(f"{json.dumps(k)} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in values.items())]
    )


def check_data(run: Path, data: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse to go on with other data than the run began with.

    Args:
        run: its folder, with a configuration.
        data: as in :func:`write_config`.

    Raises:
        InputError: photos, labels or the split are others.
    """
    began = _parsed(run / FILE).get("data", {})
    differing = sorted(name for name in {*began, *data} if began.get(name) != data.get(name))
    if differing:
        raise InputError(
            f"{run}: expected the data that the run began with, found another {differing[0]};"
            " resume with the photos, labels and --held-out of its run.toml"
        )


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_bytes(file, "a run.toml").decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{file}: expected the run.toml of a run ({error}); give one that train wrote") from None


def read_options(path: Path) -> dict[str, Any]:
    """The options in a run's configuration, by parameter name.

    Args:
        path: a ``run.toml``, or the folder of a run.

    Raises:
        InputError: no such file, no TOML, or no table of options.
    """
    file = path / FILE if path.is_dir() else path
    found = _parsed(file).get(OPTIONS)
    if not isinstance(found, dict):
        raise InputError(
            f"{file}: expected a table [{OPTIONS}], found {type(found).__name__}; give one that train wrote"
        )
    return found


def use_config(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Take a run's options as the defaults of those that are not given on the command line.

    Raises:
        InputError: as :func:`read_options`, or an option that the command does not have.
    """
    if path is None:
        return
    options = read_options(path)
    known = {p.name for p in context.command.params} - set(NOT_KEPT)
    if unknown := sorted(options.keys() - known):
        raise InputError(f"{path}: expected options of {context.info_name}, found {unknown[0]}; take it out")
    context.default_map = {**(context.default_map or {}), **options}
