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
    turn: float = 6.0,
) -> np.ndarray:
    """A random rotation, scale, aspect and shift that brings an image onto a target.

    Args:
        rng: source of all choices.
        source: height and width of the image, in pixels.
        target: height and width of the result, in pixels.
        scales: smallest and largest size of the image, as a share of the target's.
        spread: standard deviation of the image's centre, as a share of the target's height and width.
        turn: standard deviation of the rotation, in degrees.

    Returns:
        (2, 3) float64, from pixels of the image to pixels of the target.
    """
    (hs, ws), (ht, wt) = source, target
    scale = rng.uniform(*scales)
    aspect = rng.uniform(0.8, 1.25) ** 0.5
    angle = np.deg2rad(rng.normal() * turn)
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


def degrade(rng: Rng, rgb: np.ndarray) -> np.ndarray:
    """Show a photo as a poor camera does: now and then in the dark with its noise, moved, or compressed hard.

    Ranges and shares were chosen, not measured.

    Args:
        rng: source of all choices.
        rgb: (H, W, 3) float32 in 0..1; so is the result.
    """
    if rng.random() < 0.12:  # at night: little light, noise that grows with it
        rgb = rgb ** np.float32(rng.uniform(1.2, 2.0)) * np.float32(rng.uniform(0.15, 0.5))
        grain = rng.standard_normal(rgb.shape, np.float32) * np.sqrt(rgb + np.float32(0.01))
        rgb = rgb + np.float32(rng.uniform(0.02, 0.08)) * grain
    if rng.random() < 0.06:
        length, angle = int(rng.integers(3, 8)), rng.uniform(0, np.pi)
        kernel = np.zeros((length, length), np.float32)
        centre = np.array([length / 2, length / 2])
        reach = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(int(v) for v in np.round(centre + sign * reach)) for sign in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0)
        rgb = cv2.filter2D(rgb, -1, kernel / max(kernel.sum(), 1e-6), borderType=cv2.BORDER_REFLECT_101)
    if rng.random() < 0.12:
        eight_bit = np.clip(rgb * 255, 0, 255).astype(np.uint8)
        _, code = cv2.imencode(".jpg", eight_bit, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 60))])
        rgb = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.float32) / 255
    return np.clip(rgb, 0, 1).astype(np.float32)


def occlude(rng: Rng, rgb: np.ndarray, mask: np.ndarray, texture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay a turned rectangle or ellipse of another photo over a part of the person.

    Args:
        rng: draws the shape's place, size and angle.
        rgb: (H, W, 3) float32 in 0..1.
        mask: (H, W) float32 in 0..1, the person.
        texture: (H, W, 3) float32 in 0..1, what is seen in the shape.

    Returns:
        Photo and mask of the same shapes; nothing of the person is left inside the shape.
    """
    height, width = mask.shape
    inside = np.argwhere(mask > 0.5)
    if not len(inside):
        return rgb, mask
    y, x = inside[rng.integers(len(inside))]
    axes = (rng.uniform(0.05, 0.25) * width, rng.uniform(0.05, 0.25) * height)
    angle = float(rng.uniform(0, 180))
    shape = np.zeros((height, width), np.uint8)
    if rng.random() < 0.5:
        cv2.ellipse(shape, ((float(x), float(y)), (2 * axes[0], 2 * axes[1]), angle), 255, -1)
    else:
        corners = cv2.boxPoints(((float(x), float(y)), (2 * axes[0], 2 * axes[1]), angle))
        cv2.fillPoly(shape, [np.round(corners).astype(np.int32)], 255)
    cover = cv2.GaussianBlur(shape, (0, 0), 0.7).astype(np.float32) / 255
    seen = cover[..., None] * texture + (1 - cover[..., None]) * rgb
    return np.asarray(seen, np.float32), np.asarray(mask * (1 - cover), np.float32)


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
