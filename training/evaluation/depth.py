"""Figures of depth order: WHDR on NYU frames and on Depth in the Wild."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from portraiture.reference.errors import InputError
from portraiture.reference.photo.read import read_photo
from portraiture.training.data.depth_order import MIN_LEVEL, DiwRecord, draw_point_pairs
from portraiture.training.data.labels import check_label_size, read_depth
from portraiture.training.data.layouts import Sample
from portraiture.training.data.nyu import BORDER_PX
from portraiture.training.evaluation.predict import Predict, by_suffix

PAIRS_PER_SET = 5000
"""Pairs of points per set. Chosen: the standard error of a WHDR of 12 % is then 0.5 points."""


def _whdr(wrong: list[dict[str, np.ndarray]]) -> dict[str, float]:
    """Share of wrong pairs of all photos together, by name."""
    joined = {name: np.concatenate([w[name] for w in wrong]) for name in wrong[0]}
    if not joined[""].size:
        raise InputError("evaluate depth: expected pairs of known and unequal depth, found none; check the depth maps")
    return {"pairs": joined[""].size, **{f"whdr{name}": float(w.mean()) for name, w in joined.items()}}


def evaluate_ordinal(
    samples: Sequence[Sample], predict: Predict, border_px: int = 0, least_level: float = 1
) -> dict[str, float]:
    """WHDR, equal weights, on about 5,000 seeded pairs of points of a set.

    Args:
        samples: photos with depth maps, larger is farther, 0 unknown.
        predict: gives depth.
        border_px: width of the rim that is cut from photo and label, in pixels.
        least_level: smallest depth level that is known.

    Returns:
        ``whdr`` in 0..1 (a tie is wrong), ``pairs`` and ``photos``.

    Raises:
        InputError: a file cannot be read, a label's size is not its photo's, or there are no pairs.
    """
    rng = np.random.default_rng(0)
    count = -(-PAIRS_PER_SET // len(samples))
    wrong = []
    for sample in tqdm(samples, unit="photo", desc="depth", disable=None):
        rgb, level = read_photo(sample.photo), read_depth(sample.label)
        check_label_size(sample, rgb, level)
        inner = slice(border_px, -border_px or None)
        # unknown and nearly equal pairs are dropped: draw more, keep what is asked for
        known_from_4 = level[inner, inner] * ((MIN_LEVEL + 1) / least_level)
        pairs = draw_point_pairs(known_from_4, 4 * count, rng)
        a, b, relation = pairs.a[:count], pairs.b[:count], pairs.relation[:count]
        maps = predict(np.ascontiguousarray(rgb[inner, inner]))
        named = by_suffix("depth", maps.depth, maps.coarse_depth)
        wrong.append({name: np.sign(z.ravel()[a] - z.ravel()[b]) != relation for name, z in named.items()})
    return {"photos": len(samples), **_whdr(wrong)}


def evaluate_nyu(samples: Sequence[Sample], predict: Predict) -> dict[str, float]:
    """:func:`evaluate_ordinal` without NYU's outer 12 px, and without its levels of 3 and less."""
    return evaluate_ordinal(samples, predict, BORDER_PX, MIN_LEVEL + 1)


def evaluate_diw(records: Sequence[DiwRecord], predict: Predict) -> dict[str, float]:
    """WHDR on Depth in the Wild, one pair of points per photo."""
    wrong = []
    for record in tqdm(records, unit="photo", desc="depth", disable=None):
        maps = predict(read_photo(record.photo))
        judged = {}
        for name, depth in by_suffix("depth", maps.depth, maps.coarse_depth).items():
            scale = np.array(depth.shape) / record.size
            (ya, xa), (yb, xb) = (tuple((np.array(p) * scale).astype(int)) for p in (record.a, record.b))
            judged[name] = np.array([np.sign(depth[ya, xa] - depth[yb, xb]) != record.relation])
        wrong.append(judged)
    return {"photos": len(records), **_whdr(wrong)}
