"""How smoothly a filter refocuses: ``python -m portraiture.tools.evaluate.refocus PAIRS [N [WEIGHTS]]``.

On N photos of a folder of pairs (8 unless given, evenly spread) the focus goes in 20 steps from the nearest depth to
the farthest, at aperture 0.02. A step's change is the mean absolute difference of its two frames; a jump is that change
as a multiple of the mean of its neighbours'. Printed are each photo's largest jump, and the largest of all.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from portraiture.reference.photo.folder import spread
from portraiture.tools.evaluate.pairs import PairFilter, from_weights
from portraiture.tools.evaluate.program import exit_code
from portraiture.training.rendered.files import RenderedPair, list_pairs, read_pair
from portraiture.training.rendered.settings import LensSetting
from portraiture.training.weights import SHIPPED_LENS

STEPS = 20

APERTURE = 0.02
"""Half the filter's range; chosen."""

PHOTOS = 8


def jumps(frames: list[np.ndarray]) -> np.ndarray:
    """Each step's change over the mean of its neighbours', of all steps but the first and the last.

    >>> jumps([np.full((2, 2), v) for v in (0.0, 0.1, 0.3, 0.4)]).round(3)
    array([2.])
    """
    changes = np.array([np.abs(b - a).mean() for a, b in itertools.pairwise(frames)])
    return np.asarray(changes[1:-1] / np.maximum((changes[:-2] + changes[2:]) / 2, 1e-9))


def refocused(draw: PairFilter, pair: RenderedPair) -> list[np.ndarray]:
    """A photo's frames, the focus from the nearest depth to the farthest.

    Args:
        draw: the filter.
        pair: its photo and maps are used.
    """
    depth = pair.depth / 65535.0
    places = np.linspace(depth.min(), depth.max(), STEPS + 1)
    return [draw(pair, LensSetting(APERTURE, float(place))) for place in places]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description="How smoothly a filter refocuses.")
    parser.add_argument("pairs", type=Path, help="A folder of pairs.")
    parser.add_argument("count", type=int, nargs="?", default=PHOTOS, help="Photos. [default: %(default)s]")
    parser.add_argument("weights", type=Path, nargs="?", default=SHIPPED_LENS, help="[default: the lens look's]")
    options = parser.parse_args(arguments)

    def measure() -> None:
        draw, worst = from_weights(options.weights), 0.0
        for path in spread(list_pairs(options.pairs), options.count):
            found = float(jumps(refocused(draw, read_pair(path))).max())
            worst = max(worst, found)
            print(f"{path.name} {found:.2f}", flush=True)
        print(f"largest {worst:.2f}")

    return exit_code("refocus", measure)


if __name__ == "__main__":
    sys.exit(main())
