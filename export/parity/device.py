"""Judges what an app computed on a device from the bundle's golden inputs, by the gate of the files."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from portraiture.export.bundle.goldens import output_shape, read_golden, read_index, results_folder
from portraiture.export.bundle.open import open_bundle
from portraiture.export.compare import compare
from portraiture.export.contract import MASK
from portraiture.export.parity.rows import Comparison, Link, Row, Watch, judge, unwatched
from portraiture.export.parity.subjects import Subject, subject_of
from portraiture.export.tolerances import use_tolerance
from portraiture.reference.errors import InputError

_TYPES = {2: "<f2", 4: "<f4"}
"""NumPy's name of a little-endian float by its bytes."""


def read_result(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """An output from a plain little-endian file; its length decides between float32 and float16.

    Raises:
        InputError: missing, or of another length.
    """
    if not path.is_file():
        raise InputError(f"{path}: expected an output of {shape}, found none; write it as goldens/index.json says")
    data, count = path.read_bytes(), int(np.prod(shape))
    size, rest = divmod(len(data), count)
    if rest or size not in _TYPES:
        expected = " or ".join(f"{n * count} bytes of float{8 * n}" for n in sorted(_TYPES, reverse=True))
        raise InputError(f"{path}: expected {shape}, {expected}, found {len(data)} bytes; write the whole array")
    return np.frombuffer(data, _TYPES[size]).reshape(shape)


def _missing(subject: Subject, name: str, folder: Path, allowed: Sequence[str]) -> Row:
    """The row of a file that the device has no results of.

    Args:
        subject: the file.
        name: of its folder of results, relative to all results.
        folder: that folder.
        allowed: patterns of names that may be missing.
    """
    if any(fnmatchcase(name, pattern) for pattern in allowed):
        return Row.not_run(Link.DEVICE, subject, f"no results in {folder}")
    return Row.failed(Link.DEVICE, subject, f"no results in {folder}; run it, or give --allow-missing '{name}'")


def device_rows(root: Path, folder: Path, watch: Watch = unwatched, allow_missing: Sequence[str] = ()) -> list[Row]:
    """One row per output of each file; a file without results fails, or was not run where that is allowed.

    Args:
        root: folder of the bundle that the app carries; its checksums are verified first.
        folder: the results that the app wrote, as ``goldens/index.json`` asks for them.
        watch: called with each comparison.
        allow_missing: patterns (``*``) of the results' folders that may be missing, such as ``coreml/*``.

    Raises:
        InputError: the bundle is not whole, there are no results, or a file of them is missing or has another length.
    """
    bundle = open_bundle(root)
    if not folder.is_dir():
        raise InputError(f"--device-results: expected a folder, found none at {folder}; give the app's results")
    index = read_index(root)
    entries = {e["results"]: e for e in index["files"]}
    rows: list[Row] = []
    for file in bundle.files:
        subject, own = subject_of(file), folder / results_folder(file)
        if not own.is_dir():
            rows.append(_missing(subject, results_folder(file).as_posix(), own, allow_missing))
            continue
        for name, output in entries[results_folder(file).as_posix()]["outputs"].items():
            expected = read_golden(root, index, output["golden"])
            found = read_result(own / f"{name}.bin", output_shape(name, file.size))
            gate = use_tolerance(file.name, file.target, file.precision, name, file.budget_db)
            difference = compare(found, expected, as_mask=name == MASK.name)
            watch(Comparison(Link.DEVICE, subject, name, 0, found, expected, difference, gate))
            rows.append(judge(Link.DEVICE, subject, name, {0: difference}, gate))
    if all(row.difference is None for row in rows):
        example = index["files"][0]
        path = f"{example['results']}/{next(iter(example['outputs']))}.bin"
        raise InputError(
            f"{folder}: expected results such as {path}, found none; see goldens/index.json, write them so"
        )
    return rows
