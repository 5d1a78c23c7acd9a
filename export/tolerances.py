"""The one table of tolerances, each with its reason."""

import math
from dataclasses import replace

from portraiture.export.contract import DEFAULT_SIZE, DEPTH, MASK, PORTRAIT, FilterLook, Size
from portraiture.export.formats import FP16_ARITHMETIC, Precision, Target
from portraiture.export.measured_errors import CHANGE, TABLE, filter_key, of_look, read_table
from portraiture.export.measured_errors import Key as MeasuredKey
from portraiture.export.plan_tolerance import plan_tolerance
from portraiture.export.tolerance import Tolerance

_FP32 = Tolerance("float32 against float64 over some 1,000 operations; two float32 kernels differ by less", 1e-4)

_FP16_MAP = Tolerance("fp16 keeps 11 bits; gates near 1 amplify rounding along a line", min_psnr_db=45.0)

_FP16_PICTURE = Tolerance("a picture at 40 dB cannot be told apart by eye", min_psnr_db=40.0)

_FP16_WEIGHTS = Tolerance(
    "weights alone are fp16, the arithmetic is float32: at least 76 dB on 20 photos", min_psnr_db=60.0
)

_SMALL = (Precision.INT8, Precision.INT8_STATIC, Precision.PALETTIZED)

_SMALL_MASK = Tolerance(
    "of 1,000 pixels of the person fewer than 15 change sides, and those by little", min_psnr_db=30.0, min_iou=0.985
)

_SMALL_DEPTH = Tolerance(
    "an error of 3 % of the depth's range changes a disk's radius by 0.3 px at 512x384 and the paper's aperture",
    min_psnr_db=30.0,
)

_SMALL_PICTURE = Tolerance(
    "an error of 1.8 %, 4.5 of 255 levels, of blur that has no detail; the second link asks for 30 dB", min_psnr_db=35.0
)


_SMALL_FILTER = Tolerance(
    "few of the filter's weights are quantized, and its recurrences are float: at least 62 dB on 20 photos",
    min_psnr_db=50.0,
)

MULTIPLE = 3.0
"""The gate lets a file have this many times the error of the sound file of the shipped weights, measured."""

FP32_FLOOR = 1e-5
"""Kernels of other processors sum in other orders: a float32 file may have this error whatever was measured here."""


def _measured(key: MeasuredKey) -> Tolerance | None:
    """``MULTIPLE`` times what was measured; None where nothing was.

    Args:
        key: of the row in the table of measured errors.
    """
    error, steps_db = _MEASURED.get(key), 20 * math.log10(MULTIPLE)
    if error is None:
        return None
    reason = f"{MULTIPLE:g} times the sound file's error, export/{TABLE}"
    largest = MULTIPLE * error.max_abs
    if key[2] == Precision.FP32.value and key[3] != CHANGE:
        return Tolerance(reason, max(largest, FP32_FLOOR))
    return Tolerance(reason, largest, error.psnr_db - steps_db, error.tile_psnr_db - steps_db)


def _stricter(use: Tolerance, measured: Tolerance | None) -> Tolerance:
    """The stricter of two tolerances, bound by bound.

    Args:
        use: what is of use at all.
        measured: a multiple of what was measured, if anything was.
    """
    if measured is None:
        return use
    most = [x for x in (use.max_abs, measured.max_abs) if x is not None]
    least = [x for x in (use.min_psnr_db, measured.min_psnr_db) if x is not None]
    return Tolerance(
        measured.reason if len(most) + len(least) == 1 else f"{measured.reason}; and {use.reason}",
        min(most, default=None),
        max(least, default=None),
        measured.min_tile_db,
        use.min_iou,
    )


_MEASURED = read_table()


def use_tolerance(
    name: str, target: Target, precision: Precision, output: str, budget_db: float | None = None
) -> Tolerance:
    """What is of use at all; what a device computed is held to it, whose kernels are not those that were measured.

    Args:
        name: of the model.
        target: the format.
        precision: of the file.
        output: name of the output.
        budget_db: of the file's plan.
    """
    if precision is Precision.PLAN:
        return plan_tolerance(budget_db)
    if precision is Precision.FP32:
        return _FP32
    if precision is Precision.FP16:
        if target not in FP16_ARITHMETIC:
            return _FP16_WEIGHTS
        return _FP16_PICTURE if output == PORTRAIT.name else _FP16_MAP
    if name == "filter":
        return _SMALL_FILTER
    return {MASK.name: _SMALL_MASK, DEPTH.name: _SMALL_DEPTH, PORTRAIT.name: _SMALL_PICTURE}[output]


def file_tolerance(
    name: str, target: Target, precision: Precision, output: str, shipped: bool = True, budget_db: float | None = None,
    look: FilterLook = FilterLook.PAPER,
) -> Tolerance:  # fmt: skip
    """First link: exported file against torch float64 at the model's size.

    Args:
        name: of the model.
        target: the format; TensorFlow's interpreter is held to TFLite's tolerances.
        precision: of the file.
        output: name of the output.
        shipped: it is of the shipped weights, which were measured; others are held to what is of use.
        budget_db, look: of the file's plan; what the filter draws.
    """
    use = use_tolerance(name, target, precision, output, budget_db)
    return _stricter(use, _measured((of_look(name, look), target.value, precision.value, output)) if shipped else None)


def second_tolerance(name: str, target: Target, output: str) -> Tolerance:
    """An fp16 file's output against what another format's runtime makes of the same network in fp16.

    Two sound runtimes round in other places: what is of use is asked, and no multiple of the errors that the table has
    of this, which were measured at 64x64 alone.

    Args:
        name: of the model.
        target: the file's format.
        output: name of the output.
    """
    return use_tolerance(name, target, Precision.FP16, output)


def probe_tolerance(
    name: str, target: Target, precision: Precision, output: str, shipped: bool = True, budget_db: float | None = None,
    look: FilterLook = FilterLook.PAPER,
) -> Tolerance:  # fmt: skip
    """First link on probes, where what is of use on a photo does not count, such as the overlap of masks of nobody.

    Args:
        name: of the model.
        target: the format.
        precision: of the file.
        output: name of the output.
        shipped, look: as for :func:`file_tolerance`.
        budget_db: of the file's plan, which holds on photos; what its files fail here is held to PyTorch's own loss.
    """
    measured = _measured((of_look(name, look), target.value, precision.value, output)) if shipped else None
    return measured or replace(use_tolerance(name, target, precision, output, budget_db), min_iou=None)


GOLDEN = Tolerance("the same float64 computation, other machine", 1e-6)
"""A bundle's golden outputs against the float64 networks here."""


GOLDEN_INPUT = Tolerance("the same integers; a rounding may fall to the other side on another machine", 1.01 / 255)
"""A bundle's golden inputs against the sample photo's here."""


FILTER_AGAINST_CRF = Tolerance(
    "the filter learns the renderer; below this the blur is visibly different", min_psnr_db=30.0
)
"""Second link: the RNN filter against the CRF reference, both at the model's size."""


def filter_tolerance(size: Size, known: bool, look: FilterLook = FilterLook.PAPER) -> Tolerance:
    """Second link: what the filter must have against the CRF reference.

    Args:
        size, look: of the filter.
        known: the shipped weights and the sample photo: held within 3 dB of what was measured.
    """
    error = _MEASURED.get(filter_key(size, look))
    if not known or error is None:
        return FILTER_AGAINST_CRF
    least = max(error.psnr_db - 3, FILTER_AGAINST_CRF.min_psnr_db or 0.0)
    return replace(FILTER_AGAINST_CRF, reason=f"within 3 dB of the measured figure, export/{TABLE}", min_psnr_db=least)


FILTER_GAIN = Tolerance("half photo, half portrait gains 6 dB over the photo itself", min_psnr_db=8.0)
"""Second link, in units of what the reference changes of the photo: the photo itself has 0 dB."""


GAIN_BELOW_DB = 34.0
"""Photos nearer to the reference than this are not asked for a gain: there is hardly a blur to be gained. At 128x96,
where a disk has two pixels, the astronaut has 42 dB; at 512x384 the filter gains 11.6."""


_CHANGE_FP32 = Tolerance("a change that is 1 in 50,000 too small has 94 dB", min_psnr_db=94.0)

_CHANGE_FP16_WEIGHTS = Tolerance("a change that is 1 in 1,000 too small has 60 dB", min_psnr_db=60.0)

_CHANGE_FP16 = Tolerance("a change that is a seventh too small has 17 dB, none at all 0 dB", min_psnr_db=17.0)


_SMALL_CHANGE_FP32 = Tolerance("a change that is 1 in 10,000 too small has 80 dB", min_psnr_db=80.0)

_SMALL_CHANGE_FP16_WEIGHTS = Tolerance("a change that is 1 in 100 too small has 40 dB", min_psnr_db=40.0)
"""Of ``portrait`` below the size that ships. At 128x96 disks have 1 to 5 pixels, and the sample photo's depth, 0.39 to
0.53, has six layers: what rounding does to the maps changes the blur of a sound file by 1 in 200."""


def change_tolerance(
    name: str, target: Target, precision: Precision, size: Size = DEFAULT_SIZE, shipped: bool = True,
    look: FilterLook = FilterLook.PAPER,
) -> Tolerance:  # fmt: skip
    """First link: a file's change between two settings against the network's, in units of the network's own.

    Args:
        name: of the model, filter or portrait.
        target: the format.
        precision: of the file; those smaller than fp16 are held as fp16 arithmetic is, where nothing was measured.
        size: of the file, height and width in pixels.
        shipped, look: as for :func:`file_tolerance`.
    """
    small = name == "portrait" and max(size.height, size.width) < max(DEFAULT_SIZE.height, DEFAULT_SIZE.width)
    use = _CHANGE_FP16
    if precision is Precision.FP32:
        use = _SMALL_CHANGE_FP32 if small else _CHANGE_FP32
    elif precision is Precision.FP16 and target not in FP16_ARITHMETIC:
        use = _SMALL_CHANGE_FP16_WEIGHTS if small else _CHANGE_FP16_WEIGHTS
    key = of_look(name, look), target.value, precision.value, CHANGE
    tolerance = _stricter(use, _measured(key) if shipped else None)
    return replace(tolerance, max_abs=None)  # relative to a change that is small somewhere: no bound on one pixel


_PIPELINE = {
    Precision.FP32: Tolerance("as the file, and both pictures are composed by the same code", 1e-4),
    Precision.FP16: Tolerance("a picture at 40 dB cannot be told apart by eye", min_psnr_db=40.0),
} | {
    precision: Tolerance("as the file, and the mask's edge may move where its IoU allows", min_psnr_db=35.0)
    for precision in (*_SMALL, Precision.PLAN)
}


def pipeline_tolerance(
    name: str, target: Target, precision: Precision, shipped: bool = True, look: FilterLook = FilterLook.PAPER
) -> Tolerance:
    """Third link: whole exported pipeline against the whole Python pipeline, at the photo's size.

    Args:
        name: ``pipeline``, of perception and filter, or ``portrait pipeline``, of the fused model.
        target, precision: of the files.
        shipped, look: as there.
    """
    measured = _measured((of_look(name, look), target.value, precision.value, PORTRAIT.name)) if shipped else None
    return _stricter(_PIPELINE[precision], measured)
