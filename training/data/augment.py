"""Augmentation: the paper's random aspect ratio and flip (4.1); scale, rotation, colour, blur, noise, compositing."""

import cv2
import numpy as np

Rng = np.random.Generator


def random_affine(
    rng: Rng,
    source: tuple[int, int],
    target: tuple[int, int],
    scales: tuple[float, float] = (0.7, 1.4),
    spread: float = 0.05,
) -> np.ndarray:
    """A random rotation, scale, aspect and shift that brings an image onto a target.

    Args:
        rng: source of all choices.
        source: height and width of the image, in pixels.
        target: height and width of the result, in pixels.
        scales: smallest and largest size of the image, as a share of the target's.
        spread: standard deviation of the image's centre, as a share of the target's height and width.

    Returns:
        (2, 3) float64, from pixels of the image to pixels of the target.
    """
    (hs, ws), (ht, wt) = source, target
    scale = rng.uniform(*scales)
    aspect = rng.uniform(0.8, 1.25) ** 0.5
    angle = np.deg2rad(rng.normal() * 6)
    sx, sy = scale * wt / ws * aspect, scale * ht / hs / aspect
    c, s = np.cos(angle), np.sin(angle)
    linear = np.array([[c, -s], [s, c]]) @ np.diag([sx, sy])
    centre = np.array([wt / 2, ht / 2]) + rng.normal(size=2) * spread * np.array([wt, ht])
    offset = centre - linear @ np.array([ws / 2, hs / 2])
    return np.hstack([linear, offset[:, None]])


def warp(image: np.ndarray, matrix: np.ndarray, target: tuple[int, int], flip: bool, **options: int) -> np.ndarray:
    """Apply an affine matrix, then perhaps a left-right flip.

    Args:
        image: (H, W) or (H, W, C).
        matrix: (2, 3), from pixels of the image to pixels of the target.
        target: height and width of the result, in pixels.
        flip: whether left and right are exchanged.
        options: OpenCV's ``flags`` and ``borderMode``.
    """
    out = cv2.warpAffine(image, matrix, (target[1], target[0]), **options)  # type: ignore[call-overload]
    return np.asarray(out[:, ::-1] if flip else out)


def jitter_colour(rng: Rng, rgb: np.ndarray) -> np.ndarray:
    """Change contrast, brightness and white balance, and sometimes exposure, colour, sharpness and noise.

    Ranges and shares were chosen, not measured.

    Args:
        rng: source of all choices.
        rgb: (H, W, 3) float32 in 0..1; so is the result.
    """
    mean = rgb.mean()
    rgb = (rgb - mean) * rng.uniform(0.7, 1.3) + mean * rng.uniform(0.7, 1.3)
    rgb = rgb * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    if rng.random() < 0.25:  # darker or brighter as by exposure
        rgb = np.clip(rgb, 0, 1) ** np.float32(rng.uniform(0.6, 2.2))
    if rng.random() < 0.05:
        rgb = np.repeat(rgb.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.1:
        rgb = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.4, 1.2)))
    if rng.random() < 0.15:
        rgb = rgb + rng.normal(0, rng.uniform(0.005, 0.03), rgb.shape).astype(np.float32)
    return np.clip(rgb, 0, 1).astype(np.float32)


def composite(rng: Rng, rgb: np.ndarray, mask: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Put a person onto another background.

    Args:
        rng: draws how soft the edge is.
        rgb: (H, W, 3) in 0..1, the photo of the person.
        mask: (H, W) in 0..1, the person.
        background: (H, W, 3) in 0..1.

    Returns:
        (H, W, 3) float32 in 0..1.
    """
    alpha = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.5, 1.0)))[..., None]
    return np.asarray(alpha * rgb + (1 - alpha) * background, dtype=np.float32)
