"""Judges what an app computed on a device from the bundle's golden inputs, by the gate of the files."""

from pathlib import Path

import numpy as np

from portraiture.export.bundle.goldens import output_shape, read_golden, read_index, results_folder, sampled
from portraiture.export.bundle.open import open_bundle
from portraiture.export.compare import compare
from portraiture.export.contract import MASK
from portraiture.export.parity.rows import Comparison, Link, Row, Status, Watch, judge, unwatched
from portraiture.export.parity.subjects import subject_of
from portraiture.export.tolerances import file_tolerance
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


def device_rows(root: Path, folder: Path, watch: Watch = unwatched) -> list[Row]:
    """One row per output of each file; a file without results gets a row that says "not run".

    Args:
        root: folder of the bundle that the app carries; its checksums are verified first.
        folder: the results that the app wrote, as ``goldens/index.json`` asks for them.
        watch: called with each comparison.

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
            rows.append(Row.not_run(Link.DEVICE, subject, f"no results in {own}"))
            continue
        for name, output in entries[results_folder(file).as_posix()]["outputs"].items():
            expected = read_golden(root, index, output["golden"])
            found = read_result(own / f"{name}.bin", output_shape(name, file.size))
            kept = sampled(found) if np.isfinite(found).all() else np.full(expected.shape, np.nan)
            gate = file_tolerance(file.name, file.target, file.precision, name)
            difference = compare(kept, expected, as_mask=name == MASK.name)
            watch(Comparison(Link.DEVICE, subject, name, 0, kept, expected, difference, gate))
            rows.append(judge(Link.DEVICE, subject, name, {0: difference}, gate))
    if all(row.status is Status.NOT_RUN for row in rows):
        example = index["files"][0]
        path = f"{example['results']}/{next(iter(example['outputs']))}.bin"
        raise InputError(
            f"{folder}: expected results such as {path}, found none; see goldens/index.json, write them so"
        )
    return rows
