"""Occlusion-aware rendering: ``compositing="occlusion"``, what a lens does, where equation (10) is what the paper does.

Equation (10) blurs each layer by a disk that takes in its neighbours' colours, so that a sharp or nearer layer bleeds
into a blurred one, and no layer spreads over a nearer sharp one. Here each layer is blurred by itself, colour and
coverage alike, and composed from far to near in linear light:
    out <- D_k * (A_k C_k) + (1 - D_k * A_k) out,   k from far to near,
D_k the iris, A_k the coverage, C_k the colour. Both are extended under whatever hides the layer: the coverage from the
nearest pixel that is not hidden, the colour by a pyramid of normalised averages. The farthest layer seen is opaque.

What a soft matte lets through is extended too: there labels and colours are the person's as much as the background's.
A matte that is wrong makes layers that do not add up to the photo when nothing is blurred. What they lack is added back
where the matte is not 0, as long as the person is sharp: a hole in the matte then shows the photo's own pixel.

Limits: the extension is smooth, the texture behind a blurred foreground is not in the photo. A boundary between a sharp
layer and a farther one is as hard as the labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from portraiture.reference.arrays import Floats, Labels
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.occlusion.extend import extend, fill
from portraiture.reference.occlusion.iris import convolve, iris_kernel
from portraiture.reference.paper.guided import MIN_BACKGROUND

SURE = 0.3
"""Above this alpha a pixel's label and colour say nothing of what is behind the person; below, a colour's trust falls
linearly. A photo with no pixel below takes all with alpha < 1."""


@dataclass(frozen=True)
class _Sheet:
    """A layer as it would be seen alone, before the blur.

    Attributes:
        colour: HxWxC.
        coverage: HxW in 0..1.
        kernel: its iris.
    """

    colour: Floats
    coverage: Floats
    kernel: Floats


@dataclass(frozen=True)
class _Irises:
    """The iris of each layer and of the person; see ``render_occlusion``."""

    radii_px: Floats
    person_layer: int
    person_radius_px: float
    focus_layer: int
    blades: int
    rotation_deg: float

    def of(self, layer: int) -> Floats:
        """The kernel of a depth layer."""
        return self._kernel(float(self.radii_px[layer]), layer < self.focus_layer)

    def of_person(self) -> Floats:
        """The kernel of the person."""
        return self._kernel(self.person_radius_px, self.person_layer < self.focus_layer)

    def _kernel(self, radius_px: float, inverted: bool) -> Floats:
        return iris_kernel(radius_px, self.blades, self.rotation_deg + (180.0 if inverted else 0.0))


def render_occlusion(
    linear: Floats,
    alpha: Floats,
    labels: Labels,
    radii_px: Floats,
    person_layer: int,
    blades: int = 0,
    rotation_deg: float = 0.0,
    recovered: Floats | None = None,
    foreground: Floats | None = None,
    person_radius_px: float = 0.0,
    focus_layer: int | None = None,
    with_person: bool = True,
) -> tuple[Floats, Floats]:
    """Composes the layers from far to near.

    The person is a layer of its own: in front of the layers from ``person_layer`` on, behind the nearer ones. What
    is nearer than the focus sees the iris inverted; this matters for odd blade counts only.

    Args:
        linear: HxWx3 float64, linear light.
        alpha: HxW matte in 0..1.
        labels: HxW depth layer of each pixel, 0..K-1, near to far.
        radii_px: K radii in pixels; up to 1 is sharp. Layers nearer than the person may be blurred too.
        person_layer: 0..K; K sets the person behind all layers, 0 before them.
        blades: as ``iris_kernel``.
        rotation_deg: as ``iris_kernel``.
        recovered: HxWx3, what the blurred layers take in place of ``linear``; see ``recover_highlights``.
        foreground: HxWx3 linear light, a blurred person's own colour; None takes the photo's. Of no effect on a sharp
            one: his soft edge is the photo less what was behind him, plus what is behind him now.
        person_radius_px: of the person, not 0 where the focus lies elsewhere.
        focus_layer: the first layer that is not nearer than the focus, 0..K; None takes ``person_layer``.
        with_person: False leaves the person away and shows what is behind.

    Returns:
        HxWx3 float64, linear light, above 1 where ``recovered`` is; and, HxW in 0..1, how much of each pixel's light
        came through a blurred layer. Where that share is 0 the picture is the input exactly.

    Raises:
        InputError: a shape or a label is not as above.
        OptionError: an option is not as above.
    """
    _check(linear, alpha, labels, radii_px, person_layer, recovered, foreground)
    lights = linear if recovered is None else recovered
    person = linear if foreground is None else foreground
    irises = _Irises(
        radii_px,
        person_layer,
        person_radius_px,
        person_layer if focus_layer is None else focus_layer,
        blades,
        rotation_deg,
    )
    out, unblurred, share = np.zeros_like(linear), np.zeros_like(linear), np.zeros(labels.shape)
    for sheet in _sheets(linear, lights, person if with_person else None, alpha, labels, irises):
        out, share = _over(sheet, out, share)
        cover = sheet.coverage[..., None]
        unblurred = cover * sheet.colour + (1 - cover) * unblurred
    if with_person and person_radius_px <= 1:
        lacking = linear - (np.minimum(unblurred, 1.0) if recovered is not None else unblurred)
        out = np.maximum(out + np.where((alpha > 0)[..., None], lacking, 0.0), 0.0)
    return np.asarray(np.where((share > 0)[..., None], out, linear), dtype=np.float64), share


def _over(sheet: _Sheet, behind: Floats, share: Floats) -> tuple[Floats, Floats]:
    """D * (A C) + (1 - D * A) behind, and the same for the share that is blurred."""
    if sheet.kernel.size == 1:
        cover = sheet.coverage
        light = sheet.colour * cover[..., None]
        fresh = 0.0
    else:
        opaque = np.ones_like(sheet.coverage)
        stack = np.dstack([sheet.colour * sheet.coverage[..., None], sheet.coverage, opaque])  # HxWx(C+2)
        sums = convolve(stack, sheet.kernel)
        sums /= sums[..., -1:]  # normalised over the pixels inside the photo
        cover, light = sums[..., -2], sums[..., :-2]
        fresh = 1.0
        # the large-kernel filter rounds: nothing in reach is nothing, and all in reach is all
        cover = np.where(cover < MIN_BACKGROUND, 0.0, np.where(cover > 1 - MIN_BACKGROUND, 1.0, cover))
        light = np.where((cover > 0)[..., None], light, 0.0)
    rest = 1 - cover
    return light + rest[..., None] * behind, fresh * cover + rest * share


def _sheets(
    linear: Floats, lights: Floats, person: Floats | None, alpha: Floats, labels: Labels, irises: _Irises
) -> Iterator[_Sheet]:
    """The layers that are seen and the person, far to near; the first is opaque."""
    sure = alpha <= SURE if (alpha <= SURE).any() else alpha < 1
    first = True
    for layer in range(irises.radii_px.size - 1, -1, -1):
        if layer == irises.person_layer - 1 and person is not None and alpha.any():
            yield _person(person, alpha, labels, irises, opaque=first)
            first = False
        behind = layer >= irises.person_layer
        seen = (labels == layer) & (sure if behind else alpha < 1)
        if not seen.any():
            continue
        trust = seen * np.clip(1 - alpha / SURE, 0.0, 1.0)
        if not trust.any():
            trust = seen * (1 - alpha)
        kernel = irises.of(layer)
        colour = fill(trust[..., None] * (linear if kernel.size == 1 else lights), trust)
        if first:
            coverage = np.ones_like(alpha)
        elif behind:
            coverage = (extend(labels, (labels >= layer) & sure) == layer).astype(np.float64)
        else:  # the person hides nothing nearer: no layer before it continues under it
            coverage = (1 - alpha) * (extend(labels, labels >= layer) == layer)
        first = False
        yield _Sheet(colour, coverage, kernel)
    if irises.person_layer == 0 and person is not None and alpha.any():
        yield _person(person, alpha, labels, irises, opaque=first)


def _person(colour: Floats, alpha: Floats, labels: Labels, irises: _Irises, opaque: bool) -> _Sheet:
    """The person, extended under the layers that hide a part of it."""
    kernel = irises.of_person()
    known = (labels >= irises.person_layer) | (alpha == 1)
    if known.all() and not opaque:
        return _Sheet(colour, alpha, kernel)
    whole = np.where((alpha > 0)[..., None], colour, fill(alpha[..., None] * colour, alpha))
    if opaque or not known.any():
        return _Sheet(whole, np.ones_like(alpha) if opaque else alpha, kernel)
    return _Sheet(whole, alpha + (1 - alpha) * ~known * extend(alpha, known), kernel)


def _check(
    linear: Floats,
    alpha: Floats,
    labels: Labels,
    radii_px: Floats,
    person_layer: int,
    recovered: Floats | None,
    foreground: Floats | None,
) -> None:
    """Raises as ``render_occlusion`` says."""
    if linear.ndim != 3 or linear.size == 0:
        raise InputError(f"linear: expected an HxWx3 array, found shape {linear.shape}; pass a photo in linear light")
    shape = linear.shape[:2]
    for name, found in (("alpha", alpha.shape), ("labels", labels.shape)):
        if found != shape:
            raise InputError(f"{name}: expected the photo's shape {shape}, found {found}; resize the {name} first")
    for name, array in (("recovered", recovered), ("foreground", foreground)):
        if array is not None and array.shape != linear.shape:
            raise InputError(f"{name}: expected the photo's shape {linear.shape}, found {array.shape}; resize it")
    if radii_px.ndim != 1 or int(labels.min()) < 0 or int(labels.max()) >= radii_px.size:
        found_labels = f"{int(labels.min())}..{int(labels.max())} for {radii_px.size} radii"
        raise InputError(f"labels: expected 0..K-1 for K radii, found {found_labels}; give one radius a layer")
    if not 0 <= person_layer <= radii_px.size:
        raise OptionError(f"person_layer: expected 0..{radii_px.size}, found {person_layer}; count from the nearest")
