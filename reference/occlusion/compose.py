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
from portraiture.reference.lens.focus import LensSetup
from portraiture.reference.occlusion.extend import extend, fill
from portraiture.reference.occlusion.iris import Iris, convolve
from portraiture.reference.paper.guided import MIN_BACKGROUND

SURE = 0.3
"""Above this alpha a pixel's label and colour say nothing of what is behind the person; below, a colour's trust falls
linearly. A photo with no pixel below takes all with alpha < 1. Chosen, not measured."""


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


def compose_layers(
    linear: Floats,
    alpha: Floats,
    labels: Labels,
    lens: LensSetup,
    iris: Iris,
    recovered: Floats | None = None,
    foreground: Floats | None = None,
    with_person: bool = True,
) -> tuple[Floats, Floats]:
    """Composes the layers from far to near. It trusts that arrays and lens are of one ``Plan``, and checks nothing.

    The person is a layer of its own: in front of the layers from ``person_layer`` on, behind the nearer ones. What
    is nearer than the focus sees the iris inverted; this matters for odd blade counts only.

    Args:
        linear: HxWxC float64, linear light, 0 or more.
        alpha: HxW matte in 0..1.
        labels: HxW depth layer of each pixel, 0..K-1, near to far.
        lens: radii and order of the K layers. Radii up to 1 px are sharp; layers nearer than the person may be
            blurred too.
        iris: its shape.
        recovered: HxWxC, what the blurred layers take in place of ``linear``; see ``recover_highlights``.
        foreground: HxWxC linear light, the own colour of a blurred person; None takes the photo's. A sharp person
            ignores it: at the soft edge only the background is exchanged.
        with_person: False leaves the person away and shows what is behind.

    Returns:
        HxWxC float64, linear light, above 1 where ``recovered`` is; and, HxW in 0..1, how much of each pixel's light
        came through a blurred layer. Where that share is 0 the picture is the input exactly.
    """
    lights = linear if recovered is None else recovered
    person = linear if foreground is None else foreground
    out, unblurred, share = np.zeros_like(linear), np.zeros_like(linear), np.zeros(labels.shape)
    for sheet in _sheets(linear, lights, person if with_person else None, alpha, labels, lens, iris):
        out, share = _over(sheet, out, share)
        cover = sheet.coverage[..., None]
        unblurred = cover * sheet.colour + (1 - cover) * unblurred
    if with_person and lens.person_radius_px <= 1:
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
        # the large-kernel filter rounds: round a cover within 1e-9 of 0 or 1 to 0 or 1
        cover = np.where(cover < MIN_BACKGROUND, 0.0, np.where(cover > 1 - MIN_BACKGROUND, 1.0, cover))
        light = np.where((cover > 0)[..., None], light, 0.0)
    rest = 1 - cover
    return light + rest[..., None] * behind, fresh * cover + rest * share


def _sheets(
    linear: Floats,
    lights: Floats,
    person: Floats | None,
    alpha: Floats,
    labels: Labels,
    lens: LensSetup,
    iris: Iris,
) -> Iterator[_Sheet]:
    """The layers that are seen and the person, far to near; the first is opaque."""
    sure = alpha <= SURE if (alpha <= SURE).any() else alpha < 1
    first = True
    for layer in range(lens.radii_px.size - 1, -1, -1):
        if layer == lens.person_layer - 1 and person is not None and alpha.any():
            yield _person(person, alpha, labels, lens, iris, opaque=first)
            first = False
        behind = layer >= lens.person_layer
        seen = (labels == layer) & (sure if behind else alpha < 1)
        if not seen.any():
            continue
        trust = seen * np.clip(1 - alpha / SURE, 0.0, 1.0)
        if not trust.any():
            trust = seen * (1 - alpha)
        kernel = iris.kernel(float(lens.radii_px[layer]), inverted=layer < lens.focus_layer)
        colour = fill(trust[..., None] * (linear if kernel.size == 1 else lights), trust)
        if first:
            coverage = np.ones_like(alpha)
        elif behind:
            coverage = (extend(labels, (labels >= layer) & sure) == layer).astype(np.float64)
        else:  # the person hides nothing nearer: no layer before it continues under it
            coverage = (1 - alpha) * (extend(labels, labels >= layer) == layer)
        first = False
        yield _Sheet(colour, coverage, kernel)
    if lens.person_layer == 0 and person is not None and alpha.any():
        yield _person(person, alpha, labels, lens, iris, opaque=first)


def _person(colour: Floats, alpha: Floats, labels: Labels, lens: LensSetup, iris: Iris, opaque: bool) -> _Sheet:
    """The person, extended under the layers that hide a part of it."""
    kernel = iris.kernel(lens.person_radius_px, inverted=lens.person_layer < lens.focus_layer)
    known = (labels >= lens.person_layer) | (alpha == 1)
    if known.all() and not opaque:
        return _Sheet(colour, alpha, kernel)
    whole = np.where((alpha > 0)[..., None], colour, fill(alpha[..., None] * colour, alpha))
    if opaque or not known.any():
        return _Sheet(whole, np.ones_like(alpha) if opaque else alpha, kernel)
    return _Sheet(whole, alpha + (1 - alpha) * ~known * extend(alpha, known), kernel)
