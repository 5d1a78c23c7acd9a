"""Layered-scene lens simulator: the truth that the renderers of section 4.1 are measured against.

A scene is a stack of flat layers at known depths, each known also where a nearer one hides it. A lens blurs each layer
by its own disk, colour and coverage alike, and the near ones cover the far:
    out <- blur(alpha_k c_k) + (1 - blur(alpha_k)) out,   k from far to near.
A renderer sees only ``all_in_focus``, ``scene_depth`` and ``scene_mask``. All colour here is linear light.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import Floats, person_pixels
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.lens.radii import layer_radii
from portraiture.reference.paper.disk import disk_blur

PERSON_DEPTH = 0.3
"""Depth of the person in a scene, and the focus on it; chosen, not measured."""


@dataclass(frozen=True)
class Layer:
    """A flat picture at one depth.

    Attributes:
        rgb: HxWx3 float64, linear light, 0 or more; not premultiplied. Above 1 is a light that a photo clips.
        alpha: HxW float64 in 0..1.
        depth: 0..1, larger is farther.
    """

    rgb: Floats
    alpha: Floats
    depth: float

    def __post_init__(self) -> None:
        """Raises InputError where a shape or a value is not as above."""
        if self.rgb.ndim != 3 or self.rgb.shape[2] != 3 or self.alpha.shape != self.rgb.shape[:2]:
            found = f"{self.rgb.shape} and {self.alpha.shape}"
            raise InputError(f"layer: expected rgb HxWx3 and alpha HxW, found {found}; give one size")
        if not (np.isfinite(self.rgb).all() and (self.rgb >= 0).all()):
            raise InputError("layer: expected finite linear rgb of 0 or more, found others; convert from sRGB")
        if not ((self.alpha >= 0) & (self.alpha <= 1)).all():
            raise InputError("layer: expected alpha in 0..1, found others; rescale it")
        if not 0 <= self.depth <= 1:
            raise InputError(f"layer: expected a depth in 0..1, found {self.depth}; rescale it")


def simulate(layers: Sequence[Layer], focus: float, aperture: float, supersample: int = 2) -> Floats:
    """The scene through a lens.

    Args:
        layers: at least one, of one size, in any order; of equal depths the later one covers the earlier. The
            farthest must be opaque.
        focus: depth that stays sharp; radii by ``lens.layer_radii`` over the layers' depths.
        aperture: largest disk radius as a share of the image diagonal, 0 or more.
        supersample: the disks are drawn on a grid this many times finer, 1 or more. 1 is the disk of (5).

    Returns:
        HxWx3 float64, linear light.

    Raises:
        InputError: no layers, another size, or a farthest layer that is not opaque.
        OptionError: ``aperture`` or ``supersample`` is not valid.
    """
    if supersample < 1:
        raise OptionError(f"supersample: expected 1 or more, found {supersample}; the default is 2")
    if not 0 <= aperture < np.inf:
        raise OptionError(f"aperture: expected 0 or more, found {aperture}; the paper setting is 0.016")
    ordered = _far_to_near(layers)
    depths = np.array([layer.depth for layer in ordered])
    radii_px = layer_radii(depths, focus, aperture, ordered[0].alpha.shape)
    height, width = (side * supersample for side in ordered[0].alpha.shape)
    result = np.zeros((height, width, 3))
    for layer, radius_px in zip(ordered, radii_px, strict=True):
        result = _over(layer, float(radius_px), supersample, result)
    # sHxsWx3 -> HxsxWxsx3 -> HxWx3
    fine = result.reshape(height // supersample, supersample, width // supersample, supersample, 3)
    return np.asarray(fine.mean(axis=(1, 3)), dtype=np.float64)


def _over(layer: Layer, radius_px: float, supersample: int, behind: Floats) -> Floats:
    """blur(alpha c) + (1 - blur(alpha)) behind, on the fine grid."""
    premultiplied = np.dstack([layer.rgb * layer.alpha[..., None], layer.alpha])  # HxWx4
    fine = premultiplied.repeat(supersample, axis=0).repeat(supersample, axis=1)  # sHxsWx4
    blurred = disk_blur(fine, radius_px * supersample)
    return np.asarray(blurred[..., :3] + (1 - blurred[..., 3:]) * behind, dtype=np.float64)


def all_in_focus(layers: Sequence[Layer]) -> Floats:
    """The scene through a pinhole: what a phone's small lens records.

    Args:
        layers: as in ``simulate``.

    Returns:
        HxWx3 float64, linear light.

    Raises:
        InputError: as ``simulate``.
    """
    result = np.zeros_like(layers[0].rgb) if layers else np.zeros((0, 0, 3))
    for layer in _far_to_near(layers):
        result = _over(layer, 0.0, 1, result)
    return result


def scene_depth(layers: Sequence[Layer]) -> Floats:
    """Depth of the nearest layer that covers half a pixel or more; no in-between depths at soft edges.

    Args:
        layers: as in ``simulate``.

    Returns:
        HxW float64 in 0..1, larger is farther.

    Raises:
        InputError: as ``simulate``.
    """
    ordered = _far_to_near(layers)
    depth = np.full(ordered[0].alpha.shape, ordered[0].depth)
    for layer in ordered:
        depth[person_pixels(layer.alpha)] = layer.depth
    return depth


def scene_mask(layers: Sequence[Layer], person_index: int) -> Floats:
    """The person's matte as seen: its alpha, less what nearer layers cover.

    Args:
        layers: as in ``simulate``.
        person_index: which of them is the person, 0 or more.

    Returns:
        HxW float64 in 0..1.

    Raises:
        InputError: as ``simulate``, or no such layer.
    """
    if not 0 <= person_index < len(layers):
        raise InputError(f"person_index: expected 0..{len(layers) - 1}, found {person_index}; count from 0")
    ordered = _far_to_near(layers)
    place = next(i for i, layer in enumerate(ordered) if layer is layers[person_index])
    mask = ordered[place].alpha.copy()
    for layer in ordered[place + 1 :]:
        mask *= 1 - layer.alpha
    return mask


def _far_to_near(layers: Sequence[Layer]) -> list[Layer]:
    if not layers:
        raise InputError("layers: expected at least one, found none; add an opaque background")
    shapes = {layer.alpha.shape for layer in layers}
    if len(shapes) > 1:
        raise InputError(f"layers: expected one size, found {sorted(shapes)}; resize them")
    ordered = sorted(layers, key=lambda layer: -layer.depth)
    if not (ordered[0].alpha == 1).all():
        raise InputError("layers: expected an opaque farthest layer, found holes; set its alpha to 1")
    return ordered
