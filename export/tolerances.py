"""The one table of tolerances, each with its reason."""

from dataclasses import dataclass

from portraiture.export.compare import Difference
from portraiture.export.contract import Precision


@dataclass(frozen=True)
class Tolerance:
    """A gate on a :class:`Difference`; a bound that is None is not asked for."""

    reason: str
    max_abs: float | None = None
    min_psnr_db: float | None = None

    def passes(self, difference: Difference) -> bool:
        """True only for finite arrays within every bound (NaN compares false, so it cannot pass)."""
        if not difference.finite:
            return False
        within_max = self.max_abs is None or difference.max_abs <= self.max_abs
        above_psnr = self.min_psnr_db is None or difference.psnr_db >= self.min_psnr_db
        return within_max and above_psnr

    def __str__(self) -> str:
        parts = []
        if self.max_abs is not None:
            parts.append(f"max error <= {self.max_abs:g}")
        if self.min_psnr_db is not None:
            parts.append(f"PSNR >= {self.min_psnr_db:g} dB")
        return ", ".join(parts)


_FP32 = Tolerance("float32 against float64 over some 1,000 operations; two float32 kernels differ by less", 1e-4)
_FP16_MAP = Tolerance("fp16 keeps 11 bits; gates near 1 amplify rounding along a line", min_psnr_db=45.0)
_FP16_PICTURE = Tolerance("a picture at 40 dB cannot be told apart by eye", min_psnr_db=40.0)

_FILE = {
    (Precision.FP32, "mask"): _FP32,
    (Precision.FP32, "depth"): _FP32,
    (Precision.FP32, "portrait"): _FP32,
    (Precision.FP16, "mask"): _FP16_MAP,
    (Precision.FP16, "depth"): _FP16_MAP,
    (Precision.FP16, "portrait"): _FP16_PICTURE,
}


def file_tolerance(precision: Precision, output: str) -> Tolerance:
    """First link: exported file against torch float64 at the model's size."""
    return _FILE[(precision, output)]


FILTER_AGAINST_CRF = Tolerance(
    "the filter learns the renderer; below this the blur is visibly different", min_psnr_db=30.0
)
"""Second link: the RNN filter against the CRF reference, both at the model's size."""

_PIPELINE = {
    Precision.FP32: Tolerance("as the file, and both pictures are composed by the same code", 1e-4),
    Precision.FP16: Tolerance("a picture at 40 dB cannot be told apart by eye", min_psnr_db=40.0),
}


def pipeline_tolerance(precision: Precision) -> Tolerance:
    """Third link: whole exported pipeline against the whole Python pipeline, at the photo's size."""
    return _PIPELINE[precision]
