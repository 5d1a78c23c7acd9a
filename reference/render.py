"""The CRF reference renderer: the truth that filters and phones are held against."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from portraiture.reference.crf import edge_weights, label_layers
from portraiture.reference.errors import InputError
from portraiture.reference.full_body import render_full_body
from portraiture.reference.layers import depth_layers
from portraiture.reference.lens import APERTURE_PAPER, image_diagonal_px, person_depth, radius_px
from portraiture.reference.matting import TRIMAP_PX, knn_matte, trimap
from portraiture.reference.selfie import render_selfie

SELFIE_AREA = 0.2
SELFIE_BASE = 1 / 3


class Mode(Enum):
    """Which equation renders."""

    AUTO = "auto"
    SELFIE = "selfie"
    FULL_BODY = "full-body"


@dataclass(frozen=True)
class RenderSettings:
    """Settings of a rendering.

    Attributes:
        mode: AUTO chooses by :func:`choose_mode`.
        aperture: largest disk radius as a share of the diagonal; 0 returns the photo.
        focus: depth that stays sharp; None is the person's.
        layers: K of (7), 6 in the paper.
        smoothness: lambda of (7), 10 in the paper.
        trimap_px: half width of the unknown band, 10 in the paper.
        matting: False takes the mask itself as matte.
    """

    mode: Mode = Mode.AUTO
    aperture: float = APERTURE_PAPER
    focus: float | None = None
    layers: int = 6
    smoothness: float = 10.0
    trimap_px: int = TRIMAP_PX
    matting: bool = True


@dataclass(frozen=True)
class RenderStages:
    """What each stage gave: matte HxW, labels HxW, radii (K,), portrait HxWx3."""

    alpha: np.ndarray
    labels: np.ndarray
    radii_px: np.ndarray
    portrait: np.ndarray


def choose_mode(mask: np.ndarray, depth: np.ndarray | None) -> Mode:
    """Selfie where there is no depth, or the person fills a fifth of the photo and a third of its lower edge."""
    person = mask >= 0.5
    large = person.mean() >= SELFIE_AREA and person[-1].mean() >= SELFIE_BASE
    return Mode.SELFIE if depth is None or large else Mode.FULL_BODY


def _checked(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if values.shape != shape:
        raise InputError(f"{name}: expected shape {shape}, found {values.shape}")
    array = values.astype(np.float64)
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        raise InputError(f"{name}: expected finite values in 0..1, found {array.min():g}..{array.max():g}")
    return array


def render_stages(
    rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray | None = None, settings: RenderSettings | None = None
) -> RenderStages:
    """Render and give every stage.

    Args:
        rgb: HxWx3, float in 0..1 or uint8.
        mask: HxW person probability.
        depth: HxW in 0..1, larger is farther; None renders as a selfie.
        settings: default the paper's.

    Raises:
        InputError: wrong shapes, values outside 0..1, no person and no focus, full-body without depth.
    """
    settings = settings or RenderSettings()
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise InputError(f"rgb: expected HxWx3, found {rgb.shape}")
    photo = rgb / 255.0 if rgb.dtype == np.uint8 else rgb
    photo = _checked("rgb", photo, rgb.shape)
    mask = _checked("mask", mask, rgb.shape[:2])
    depth = None if depth is None else _checked("depth", depth, rgb.shape[:2])
    if not (mask >= 0.5).any() and settings.focus is None:
        raise InputError("mask: expected a person, found none; give a focus or another mask")
    mode = choose_mode(mask, depth) if settings.mode is Mode.AUTO else settings.mode
    alpha = mask
    if settings.matting and settings.aperture > 0:
        alpha = knn_matte(photo, trimap(mask, settings.trimap_px))
    largest_px = settings.aperture * image_diagonal_px(rgb.shape)
    if mode is Mode.SELFIE or depth is None:
        if depth is None and mode is Mode.FULL_BODY:
            raise InputError("depth: expected a depth map for a full-body portrait, found none")
        radii = np.array([largest_px])
        labels = np.zeros(mask.shape, dtype=int)
        return RenderStages(alpha, labels, radii, render_selfie(photo, alpha, largest_px))
    layers = depth_layers(depth, settings.layers)
    labels = label_layers(layers.unary, edge_weights(depth), settings.smoothness)
    focus = person_depth(mask, depth) if settings.focus is None else settings.focus
    radii = radius_px(layers.centres, focus, float(layers.centres[-1]), settings.aperture, rgb.shape)
    return RenderStages(alpha, labels, radii, render_full_body(photo, alpha, labels, radii))


def render(
    rgb: np.ndarray, mask: np.ndarray, depth: np.ndarray | None = None, settings: RenderSettings | None = None
) -> np.ndarray:
    """The portrait, HxWx3 float64 in 0..1; arguments and errors as in :func:`render_stages`."""
    return np.clip(render_stages(rgb, mask, depth, settings).portrait, 0.0, 1.0)
