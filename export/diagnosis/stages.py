"""The first stage at which two pipelines part."""

import numpy as np

from portraiture.export.compare import compare
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.lens.radii import APERTURE_PAPER


def first_stage(exported: Pipeline, truth: Pipeline, photo: np.ndarray, close: float = 1e-3) -> str:
    """The first stage at which two pipelines part, in words.

    Args:
        exported, truth: the bundle's pipeline and the Python pipeline in float64, at the same size.
        photo: HxWx3 uint8.
        close: mean absolute difference, 0..1, up to which a stage agrees; the default was chosen, not measured: above
            the mean error of fp16, below that of a wrong resize rule. The photo at the model's size must be equal.
    """
    found, expected = exported.perceive(photo), truth.perceive(photo)
    if found.size != expected.size or not np.array_equal(found.model_rgb, expected.model_rgb):
        return "the photo at the model's size differs: resize rule on the way in"
    stages = [
        ("the mask at the model's size differs: the perception file", found.model_mask, expected.model_mask),
        ("the depth at the model's size differs: the perception file", found.model_depth, expected.model_depth),
        ("the mask at the photo's size differs: resize rule of masks on the way out", found.mask, expected.mask),
        ("the depth at the photo's size differs: resize rule on the way out", found.depth, expected.depth),
        ("the portrait at the model's size differs: the filter file",
         exported.filter(found, APERTURE_PAPER), truth.filter(expected, APERTURE_PAPER)),
    ]  # fmt: skip
    for words, a, b in stages:
        if not compare(a, b).mean_abs <= close:
            return words
    return "all maps agree, the composed picture differs: compose rule"
