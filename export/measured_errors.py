"""The errors of sound files, measured: what the gate's tolerances are multiples of.

The table beside this file is printed by ``python -m portraiture.tools.evaluate.file_errors BUNDLE ...`` from bundles of
the shipped weights: of each model, format, precision and output the largest error over the sample photo, the probes and
the settings, over all sizes of the bundles.
"""

import csv
from dataclasses import dataclass
from importlib import resources

from portraiture.export.compare import Difference
from portraiture.export.contract import FilterLook, Size

TABLE = "measured_errors.csv"
"""Columns as in :class:`MeasuredError`, after model, format, precision and output."""

CHANGE = "change"
"""What stands for an output where the error of a change between two settings is meant."""

Key = tuple[str, str, str, str]
"""Model (or ``pipeline``, ``portrait pipeline``), format, precision and output."""


WITH_LOOK = ("filter", "portrait", "pipeline", "portrait pipeline")
"""What a filter is a part of: its errors are those of one look."""


def of_look(name: str, look: FilterLook) -> str:
    """What stands for a model, or a pipeline, whose filter draws a look.

    >>> of_look("filter", FilterLook.LENS), of_look("perception", FilterLook.LENS)
    ('filter lens', 'perception')
    """
    return name if look is FilterLook.PAPER or name not in WITH_LOOK else f"{name} {look.value}"


def filter_key(size: Size, look: FilterLook = FilterLook.PAPER) -> Key:
    """Where the table says how far a filter is from the CRF reference on the sample photo."""
    return of_look("filter", look), "CRF reference", str(size), "portrait"


def second_key(output: str, second: str) -> str:
    """What stands for an output where a file is held to what another format's runtime makes of it.

    >>> second_key("mask", "coreai")
    'mask against coreai'
    """
    return f"{output} against {second}"


@dataclass(frozen=True)
class MeasuredError:
    """The worst figures of a sound file.

    Attributes:
        max_abs: largest absolute error.
        psnr_db, tile_psnr_db: of the worst case, and of its worst tile.
    """

    max_abs: float
    psnr_db: float
    tile_psnr_db: float


def worse(error: MeasuredError | None, other: MeasuredError | Difference) -> MeasuredError:
    """An error, and another one of the same kind: the larger figures of both."""
    if error is None:
        return MeasuredError(other.max_abs, other.psnr_db, other.tile_psnr_db)
    return MeasuredError(
        max(error.max_abs, other.max_abs),
        min(error.psnr_db, other.psnr_db),
        min(error.tile_psnr_db, other.tile_psnr_db),
    )


def read_table() -> dict[Key, MeasuredError]:
    """The table that is installed beside this file."""
    text = resources.files("portraiture.export").joinpath(TABLE).read_text(encoding="utf-8")
    found = {}
    for name, target, precision, output, *figures in list(csv.reader(text.splitlines()))[1:]:
        found[name, target, precision, output] = MeasuredError(*map(float, figures))
    return found


def write_table(errors: dict[Key, MeasuredError]) -> str:
    """The table as text.

    >>> print(write_table({("filter", "onnx", "fp32", "portrait"): MeasuredError(1e-6, 140.0, 131.26)}))
    model,format,precision,output,max_abs,psnr_db,tile_psnr_db
    filter,onnx,fp32,portrait,1e-06,140.0,131.3
    """
    lines = ["model,format,precision,output,max_abs,psnr_db,tile_psnr_db"]
    for key, error in sorted(errors.items()):
        lines.append(",".join([*key, f"{error.max_abs:.2g}", f"{error.psnr_db:.1f}", f"{error.tile_psnr_db:.1f}"]))
    return "\n".join(lines)
