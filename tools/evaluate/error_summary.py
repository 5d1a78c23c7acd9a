"""Print the worst errors of sound files: ``python -m portraiture.tools.evaluate.error_summary``.

They are those of the table beside the export, ``measured_errors.csv``, over all models.
"""

from collections.abc import Mapping

from portraiture.export.measured_errors import CHANGE, Key, MeasuredError, read_table, worse
from portraiture.tools.evaluate.table import markdown_table

PIPELINES = ("pipeline", "portrait pipeline")
"""Names under which the table has whole pipelines."""


def summary(errors: Mapping[Key, MeasuredError]) -> list[list[str]]:
    """The largest error and the least PSNR over all models, by format, precision and output.

    Args:
        errors: of each model, format, precision and output.

    >>> key, other = ("coarse", "onnx", "fp32", "mask"), ("perception", "onnx", "fp32", "mask")
    >>> summary({key: MeasuredError(1e-6, 140.0, 131.0), other: MeasuredError(2e-6, 150.0, 120.0)})
    [['onnx fp32', 'mask', '2e-06', '140.0', '120.0']]
    """
    worst: dict[tuple[str, str], MeasuredError] = {}
    for (model, form, precision, output), error in errors.items():
        if output == CHANGE:
            continue
        what = f"{form} {precision}", f"whole {output}" if model in PIPELINES else output
        worst[what] = worse(worst.get(what), error)
    return [
        [*what, f"{error.max_abs:.2g}", f"{error.psnr_db:.1f}", f"{error.tile_psnr_db:.1f}"]
        for what, error in sorted(worst.items())
    ]


if __name__ == "__main__":
    print(markdown_table(["file", "output", "max error", "PSNR", "PSNR of the worst tile"], summary(read_table())))
