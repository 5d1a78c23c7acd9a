"""The one table of tolerances, each with its reason."""

from dataclasses import dataclass

from portraiture.export.compare import Difference
from portraiture.export.contract import MODELS
from portraiture.export.formats import FP16_ARITHMETIC, PRECISIONS, Precision, Target


@dataclass(frozen=True)
class Tolerance:
    """A gate on a :class:`Difference`; a bound that is None does not count.

    ``min_iou`` needs a difference of masks, found by ``compare(..., as_mask=True)``; another one fails it.
    """

    reason: str
    max_abs: float | None = None
    min_psnr_db: float | None = None
    min_iou: float | None = None

    def passes(self, difference: Difference) -> bool:
        """True only for finite arrays within every bound (NaN compares false, so it cannot pass)."""
        if not difference.finite:
            return False
        within_max = self.max_abs is None or difference.max_abs <= self.max_abs
        above_psnr = self.min_psnr_db is None or difference.psnr_db >= self.min_psnr_db
        above_iou = self.min_iou is None or (difference.iou is not None and difference.iou >= self.min_iou)
        return within_max and above_psnr and above_iou

    def badness(self, difference: Difference) -> tuple[bool, bool, float]:
        """A key by which the worst of several differences is the largest: not finite, failed, then the first bound."""
        if self.max_abs is not None:
            figure = difference.max_abs
        elif self.min_iou is not None and difference.iou is not None:
            figure = -difference.iou
        else:
            figure = -difference.psnr_db
        return not difference.finite, not self.passes(difference), figure

    def __str__(self) -> str:
        parts = []
        if self.max_abs is not None:
            parts.append(f"max error <= {self.max_abs:g}")
        if self.min_psnr_db is not None:
            parts.append(f"PSNR >= {self.min_psnr_db:g} dB")
        if self.min_iou is not None:
            parts.append(f"IoU >= {self.min_iou:g}")
        return ", ".join(parts)


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


Key = tuple[str, Target, Precision, str]
"""Model, format, precision and output."""


def _table() -> dict[Key, Tolerance]:
    found: dict[Key, Tolerance] = {}
    for name, contract in MODELS.items():
        for output in (spec.name for spec in contract.outputs):
            small = {"mask": _SMALL_MASK, "depth": _SMALL_DEPTH, "portrait": _SMALL_PICTURE}[output]
            for target, precisions in PRECISIONS.items():
                for precision in precisions:
                    gate = small if name != "filter" else _SMALL_FILTER
                    if precision is Precision.FP32:
                        gate = _FP32
                    elif precision is Precision.FP16 and target not in FP16_ARITHMETIC:
                        gate = _FP16_WEIGHTS
                    elif precision is Precision.FP16:
                        gate = _FP16_PICTURE if output == "portrait" else _FP16_MAP
                    found[name, target, precision, output] = gate
    return found


FILE = _table()
"""First link: exported file against torch float64 at the model's size."""


def file_tolerance(name: str, target: Target, precision: Precision, output: str) -> Tolerance:
    """The tolerance of one output of a model, in one format and precision.

    Args:
        name: of the model.
        target: the format; TensorFlow's interpreter is held to TFLite's tolerances.
        precision: of the file.
        output: name of the output.
    """
    return FILE[name, target, precision, output]


GOLDEN = Tolerance("the same float64 computation, other machine", 1e-6)
"""A bundle's goldens against the float64 networks here."""


FILTER_AGAINST_CRF = Tolerance(
    "the filter learns the renderer; below this the blur is visibly different", min_psnr_db=30.0
)
"""Second link: the RNN filter against the CRF reference, both at the model's size."""


FILTER_GAIN = Tolerance("half photo, half portrait gains 6 dB over the photo itself", min_psnr_db=8.0)
"""Second link, in units of what the reference changes of the photo: the photo itself has 0 dB."""


GAIN_BELOW_DB = 34.0
"""Photos nearer to the reference than this are not asked for a gain: there is hardly a blur to be gained. At 128x96,
where a disk has two pixels, the astronaut has 41 dB and the filter gains nothing; at 512x384 it gains 15."""


_CHANGE_FP32 = Tolerance(
    "sound files have at least 104 dB at 128x96 and 512x384; 3 times their error", min_psnr_db=94.0
)

_CHANGE_FP16_WEIGHTS = Tolerance("sound files have at least 69 dB; 3 times their error", min_psnr_db=60.0)

_CHANGE_FP16 = Tolerance(
    "sound files have at least 26 dB, where a setting changes little; 3 times their error", min_psnr_db=17.0
)


def change_tolerance(target: Target, precision: Precision) -> Tolerance:
    """First link: a file's change between two settings against the network's, in units of the network's own.

    Args:
        target: the format.
        precision: of the file; those smaller than fp16 are held as fp16 arithmetic is.
    """
    if precision is Precision.FP32:
        return _CHANGE_FP32
    weights_alone = precision is Precision.FP16 and target not in FP16_ARITHMETIC
    return _CHANGE_FP16_WEIGHTS if weights_alone else _CHANGE_FP16


_PIPELINE = {
    Precision.FP32: Tolerance("as the file, and both pictures are composed by the same code", 1e-4),
    Precision.FP16: Tolerance("a picture at 40 dB cannot be told apart by eye", min_psnr_db=40.0),
} | {
    precision: Tolerance("as the file, and the mask's edge may move where its IoU allows", min_psnr_db=35.0)
    for precision in _SMALL
}


def pipeline_tolerance(precision: Precision) -> Tolerance:
    """Third link: whole exported pipeline against the whole Python pipeline, at the photo's size."""
    return _PIPELINE[precision]
