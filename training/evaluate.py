"""Evaluation: the same figures for any predictor, whatever runtime is behind it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from portraiture.reference.metrics import boundary_f, iou, psnr_db, ssim
from portraiture.training.data.cache import NYU_BORDER_PX, read_rgb
from portraiture.training.data.ordinal import DiwRecord, sample_pairs
from portraiture.training.data.pairs import Sample, read_depth, read_mask

PAIRS_PER_SET = 5000


@dataclass(frozen=True)
class PredictedMaps:
    """Refined and coarse mask and depth (H, W) in 0..1 at the photo's size; coarse may be None."""

    mask: np.ndarray
    depth: np.ndarray
    coarse_mask: np.ndarray | None
    coarse_depth: np.ndarray | None


Predict = Callable[[np.ndarray], PredictedMaps]
"""From a photo HxWx3 uint8 to its maps."""


def evaluate_segmentation(samples: list[Sample], predict: Predict) -> dict[str, float]:
    """Mean per-image IoU, IoU of the set's pixels, boundary F-score at 2 px of the photo's own size."""
    names = ("", "_coarse")
    per_image: dict[str, list[float]] = {n: [] for n in names}
    boundary: dict[str, list[float]] = {n: [] for n in names}
    pixels = {n: np.zeros(2) for n in names}
    for sample in tqdm(samples, unit="photo", desc="segmentation"):
        truth = read_mask(sample.label)
        maps = predict(read_rgb(sample.photo))
        for name, soft in zip(names, (maps.mask, maps.coarse_mask), strict=True):
            if soft is None:
                continue
            mask = soft >= 0.5
            per_image[name].append(iou(mask, truth))
            boundary[name].append(boundary_f(mask, truth))
            pixels[name] += ((mask & truth).sum(), (mask | truth).sum())
    result: dict[str, float] = {"photos": len(samples)}
    for name in names:
        if per_image[name]:
            result[f"mean_iou{name}"] = float(np.mean(per_image[name]))
            result[f"set_iou{name}"] = float(pixels[name][0] / max(1, pixels[name][1]))
            result[f"boundary_f_2px{name}"] = float(np.mean(boundary[name]))
    return result


def _disagreement(depths: Iterable[np.ndarray | None], judge: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
    return [np.zeros(0, dtype=bool) if d is None else judge(d) for d in depths]


def _whdr(wrong: list[list[np.ndarray]]) -> dict[str, float]:
    refined, coarse = (np.concatenate([w[i] for w in wrong]) for i in range(2))
    result = {"pairs": float(refined.size), "whdr": float(refined.mean())}
    return result | ({"whdr_coarse": float(coarse.mean())} if coarse.size else {})


def evaluate_nyu(samples: list[Sample], predict: Predict) -> dict[str, float]:
    """WHDR, equal weights, on about 5,000 seeded pairs of the set; the outer 12 px are ignored."""
    rng = np.random.default_rng(0)
    count = -(-PAIRS_PER_SET // len(samples))
    border = NYU_BORDER_PX
    wrong = []
    for sample in tqdm(samples, unit="photo", desc="depth"):
        level = read_depth(sample.label)[border:-border, border:-border]
        # unknown and nearly equal pairs are dropped: draw more, keep what is asked for
        pairs = sample_pairs(level, 4 * count, rng)
        a, b, relation = pairs.a[:count], pairs.b[:count], pairs.relation[:count]
        maps = predict(np.ascontiguousarray(read_rgb(sample.photo)[border:-border, border:-border]))

        def judge(depth: np.ndarray, a: np.ndarray = a, b: np.ndarray = b, r: np.ndarray = relation) -> np.ndarray:
            z = depth.ravel()
            return np.asarray(np.sign(z[a] - z[b]) != r)

        wrong.append(_disagreement((maps.depth, maps.coarse_depth), judge))
    return {"photos": len(samples), **_whdr(wrong)}


def evaluate_diw(records: list[DiwRecord], predict: Predict) -> dict[str, float]:
    """WHDR on Depth in the Wild, one pair a photo."""
    wrong = []
    for record in tqdm(records, unit="photo", desc="depth"):
        maps = predict(read_rgb(record.photo))

        def judge(depth: np.ndarray, r: DiwRecord = record) -> np.ndarray:
            scale = np.array(depth.shape) / r.size
            (ya, xa), (yb, xb) = (tuple((np.array(p) * scale).astype(int)) for p in (r.a, r.b))
            return np.array([np.sign(depth[ya, xa] - depth[yb, xb]) != r.relation])

        wrong.append(_disagreement((maps.depth, maps.coarse_depth), judge))
    return {"photos": len(records), **_whdr(wrong)}


def evaluate_filter(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Mean PSNR and SSIM of (filter, reference) pictures."""
    figures = [(psnr_db(a, b), ssim(a, b)) for a, b in pairs]
    psnr, similarity = np.mean(figures, 0)
    return {"photos": len(figures), "psnr_db": float(psnr), "ssim": float(similarity)}
