"""Figures of a filter against the CRF reference's pictures."""

from collections.abc import Iterable

import numpy as np

from portraiture.reference.errors import InputError
from portraiture.reference.metrics import psnr_db, ssim


def evaluate_filters(pictures: Iterable[tuple[dict[str, np.ndarray], np.ndarray]]) -> dict[str, dict[str, float]]:
    """Mean PSNR and SSIM of filters.

    Args:
        pictures: for each photo the filters' pictures by name, and the reference's; HxWx3 float in 0..1.

    Returns:
        ``photos``, ``psnr_db`` and ``ssim`` by the filter's name.

    Raises:
        InputError: there are no pictures.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for by_name, reference in pictures:
        for name, picture in by_name.items():
            found.setdefault(name, []).append((psnr_db(picture, reference), ssim(picture, reference)))
    if not found:
        raise InputError("evaluate filter: expected a photo on which a person is found, found none; take other photos")
    means = {name: np.mean(figures, 0) for name, figures in found.items()}
    return {
        name: {"photos": len(found[name]), "psnr_db": float(psnr), "ssim": float(similarity)}
        for name, (psnr, similarity) in means.items()
    }
