"""What an error looks like, in words, where no mistake explains it: where it lies, and the line that fits it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from portraiture.export.compare import compare
from portraiture.export.diagnosis.mistakes import NEARER_DB
from portraiture.export.tolerance import Tolerance

LARGEST_SHARE = 0.25
"""An error is called local that lies within this share of the picture. Chosen, not measured."""

LARGEST_RIM = 0.125
"""An error is called one of the rim that lies within this share of the shorter side. Chosen, not measured."""


def broken_values(found: np.ndarray) -> str:
    """Where an output is NaN or infinite; empty where it is not.

    Args:
        found: HxW or HxWx3.
    """
    broken = ~np.isfinite(found)
    if not broken.any():
        return ""
    place = ", ".join(f"{what} {k}" for what, k in zip(("row", "column"), np.argwhere(broken)[0], strict=False))
    return f"{int(broken.sum())} of {found.size} values are NaN or infinite, the first at {place}"


@dataclass(frozen=True)
class Guess:
    """A sentence about an error, and the share of the squared error that it leaves unexplained."""

    sentence: str
    left: float


def pattern(found: np.ndarray, expected: np.ndarray, photo: np.ndarray, gate: Tolerance) -> Guess | None:
    """What the error of an output looks like; None where nothing simple fits.

    Args:
        found, expected: of equal shapes, HxW or HxWx3, finite.
        photo: what the model saw, HxWx3 in 0..1.
        gate: an explanation must bring the output within it.
    """
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    error, largest = float(np.mean((found - expected) ** 2)), float(np.abs(found - expected).max())
    for sentence, explained in _guesses(found, expected, photo):
        left = float(np.mean((explained - expected) ** 2)) / error
        is_nearer = left < 10 ** (-NEARER_DB / 10) or np.abs(explained - expected).max() < largest / 10
        if is_nearer and gate.passes(compare(explained, expected)):
            return Guess(sentence, left)
    return None


def _guesses(found: np.ndarray, expected: np.ndarray, photo: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Sentences, the likeliest first, and the output as it would be without what they say."""
    yield from _shifted(found, expected)
    if found.shape == photo.shape:
        toward = photo - expected
        share = _slope(toward, found - expected)
        if 0.01 < share < 0.99:
            yield (f"the output is {1 - share:.0%} of the portrait and {share:.0%} of the photo",
                   (found - share * photo) / (1 - share))  # fmt: skip
        if share >= 0.99:
            yield "the file gives the photo back", found - toward
    gain = _slope(expected - expected.mean(), found - found.mean())
    offset = float(found.mean() - gain * expected.mean())
    if abs(gain) > 1e-3:
        yield f"the output is {gain:.3g} x + {offset:.2g}, x what it should be", (found - offset) / gain
    elif np.ptp(found) < 1e-6:
        yield f"the output is {found.mean():.3g} everywhere", expected
    yield from _local(found, expected)


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """The k by which k x is nearest to y."""
    return float((x * y).sum() / max(float((x * x).sum()), 1e-12))


def _shifted(found: np.ndarray, expected: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The output moved by half a pixel or one, along an axis; what comes in from outside is not looked at."""
    for axis, (back, ahead) in enumerate((("up", "down"), ("left", "right"))):
        for step, way in ((1, ahead), (-1, back)):
            rolled = np.roll(expected, step, axis)
            for pixels, moved in ((0.5, (expected + rolled) / 2), (1, rolled)):
                error = np.moveaxis(found - moved, axis, 0)[1:-1]
                rest = np.concatenate([np.zeros_like(error[:1]), error, np.zeros_like(error[:1])])
                yield f"the output is moved {way} by {pixels:g} pixel", expected + np.moveaxis(rest, 0, axis)


def _local(found: np.ndarray, expected: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Places outside of which the output is right."""
    error = np.abs(found - expected)
    plane = error.max(2) if error.ndim == 3 else error
    height, width = plane.shape

    def without(wrong: np.ndarray) -> np.ndarray:
        return np.where(wrong[..., None] if found.ndim == 3 else wrong, expected, found)

    rows, columns = np.indices(plane.shape)
    for share in (0.5, 1e-1, 1e-2):  # of the largest error, the tightest box first: faint ones around may be rounding
        wrong = plane > share * plane.max()
        inside = [slice(int(line[wrong].min()), int(line[wrong].max()) + 1) for line in (rows, columns)]
        box = np.zeros_like(wrong)
        box[tuple(inside)] = True
        if box.mean() <= LARGEST_SHARE:
            ends = [f"{s.start} to {s.stop - 1}" for s in inside]
            yield f"only rows {ends[0]}, columns {ends[1]} are wrong", without(box)
    for what, line in (("row", rows), ("column", columns)):
        for start, which in ((0, "even"), (1, "odd")):
            yield f"every {which} {what} is wrong, the others are right", without(line % 2 == start)
    for what, line in (("", (rows % 2) | (columns % 2)), ("even ", 1 - (rows % 2) * (columns % 2))):
        yield f"only {what or 'odd '}rows and columns are wrong", without(line == 1)
    from_rim = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns))
    for rim in (1, 2, 4, 8, 16, 32):
        if rim <= LARGEST_RIM * min(height, width):
            yield f"only the {rim} pixels at the rim are wrong", without(from_rim < rim)
