"""The smallest plan that holds a budget: cheapest error per byte first, then the whole is measured and made to hold.

Errors of single layers nearly add up, so that the choice is a knapsack with several kinds for each layer. Of each
layer's kinds the lower convex hull of error over bytes counts; its steps, over all layers, are taken in the order of
error per byte saved, which is best for the relaxed problem (Sinha and Zoltners 1979). What really holds is found by
running the network: the longest beginning of these steps by halves, then single steps more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from portraiture.export.formats import FP16_ARITHMETIC, Target
from portraiture.export.plan import Kind
from portraiture.export.sensitivity.measure import Effect, Report, Sensitivity, decibels
from portraiture.reference.errors import OptionError

TRIES = 24
"""Single steps that are tried after the first that does not hold, each a run of the whole network. Chosen: the last
of them save less than a thousandth of a file."""


@dataclass(frozen=True)
class Step:
    """A layer goes from one kind to a smaller one.

    Attributes:
        layer: plain name.
        kind: the smaller one.
        price: error per byte that is saved.
    """

    layer: str
    kind: Kind
    price: float


@dataclass(frozen=True)
class Found:
    """A plan that holds.

    Attributes:
        kinds: of every layer by plain name.
        worst_db: by format, PSNR of each output on its worst photo.
        bytes: of all layers' weights, by format.
        bytes_fp16: the same with every layer in fp16.
    """

    kinds: dict[str, Kind]
    worst_db: dict[Target, dict[str, float]]
    bytes: dict[Target, int]
    bytes_fp16: dict[Target, int]


def hull(points: Sequence[tuple[int, float, Kind]]) -> list[tuple[int, float, Kind]]:
    """The lower convex hull of error over bytes, from the largest number of bytes down.

    >>> [kind.value for _, _, kind in hull([(8, 0.0, Kind.FP16), (4, 9.0, Kind.INT8), (3, 5.0, Kind.PALETTE6)])]
    ['fp16', 'palette6']

    Args:
        points: bytes, error and kind; the first is where a search begins.
    """
    found = [points[0]]
    for point in sorted(points[1:], key=lambda p: (-p[0], p[1])):
        if point[0] >= found[-1][0]:  # it saves nothing more
            continue
        while len(found) > 1 and _price(found[-2], found[-1]) >= _price(found[-2], point):
            found.pop()
        found.append(point)
    return found


def _price(a: tuple[int, float, Kind], b: tuple[int, float, Kind]) -> float:
    return (b[1] - a[1]) / (a[0] - b[0])


def typical(mse: np.ndarray) -> float:
    """The error that a layer makes in general: the geometric mean over the photos and the outputs that it moves.

    The arithmetic mean, and the largest, are those of the few pixels of one photo about which the network is in doubt.
    Of today's int8 at equal size, on the one of four photos that was left out, mask, depth and portrait gained 0.9, 1.6
    and 0.7 dB by this order, 0.3, 1.3 and 0.2 by the largest error (ONNX at 128x96, errors added up).

    Args:
        mse: mean squared errors, (photos, outputs).
    """
    moved = mse[mse > 0]
    return float(np.exp(np.log(moved).mean())) if moved.size else 0.0


def steps_of(found: Sensitivity, effects: Mapping[tuple[str, Kind], Effect], kinds: Sequence[Kind]) -> list[Step]:
    """All steps that save bytes, the cheapest first.

    Args:
        found: the network and the formats.
        effects: of each layer in each kind.
        kinds: those that may be used; fp16 is always.
    """
    steps = []
    for layer in found.layers:
        points = []
        for kind in dict.fromkeys((Kind.FP16, *kinds)):
            if (layer, kind) not in effects:
                continue
            size = sum(found.bytes_of(layer, kind, target) for target in found.targets)
            in_formats = {found.carried(layer, kind, target) for target in found.targets}
            points.append((size, max(typical(effects[layer, k].mse) for k in in_formats), kind))
        line = hull(points)
        steps += [Step(layer, b[2], _price(a, b)) for a, b in pairwise(line)]
    return sorted(steps, key=lambda step: step.price)


class _Check:
    """Whether kinds hold the budget in every format; each is measured once."""

    def __init__(self, found: Sensitivity, budget_db: float) -> None:
        self.found = found
        self.budget_db = budget_db
        self._known: dict[object, dict[str, float]] = {}

    def worst_db(self, kinds: dict[str, Kind], target: Target) -> dict[str, float]:
        """PSNR of each output on its worst photo."""
        own = tuple(self.found.carried(layer, kind, target) for layer, kind in kinds.items())
        key = target in FP16_ARITHMETIC, own  # formats of equal arithmetic and kinds compute the same
        if key not in self._known:
            worst = np.max(self.found.whole(kinds, target), 0)
            self._known[key] = {n: decibels(float(e)) for n, e in zip(self.found.outputs, worst, strict=True)}
        return self._known[key]

    def holds(self, kinds: dict[str, Kind]) -> bool:
        """Whether every output holds the budget."""
        return all(min(self.worst_db(kinds, target).values()) >= self.budget_db for target in self.found.targets)


def search(
    found: Sensitivity,
    effects: Mapping[tuple[str, Kind], Effect],
    budget_db: float,
    kinds: Sequence[Kind],
    report: Report,
) -> Found:
    """The smallest plan that is found to hold a budget in every format.

    Args:
        found: the network, the photos and the formats.
        effects: of each layer in each kind.
        budget_db: least PSNR of each output on each photo.
        kinds: those that may be used; fp16 is always.
        report: called before each run of the whole network.

    Raises:
        OptionError: fp16 throughout does not hold it.
    """
    check = _Check(found, budget_db)
    steps = steps_of(found, effects, kinds)
    half = dict.fromkeys(found.layers, Kind.FP16)

    def after(count: int) -> dict[str, Kind]:
        return half | {step.layer: step.kind for step in steps[:count]}

    if not check.holds(half):
        worst = {t.value: check.worst_db(half, t) for t in found.targets}
        name, own = min(worst.items(), key=lambda item: min(item[1].values()))
        output = min(own, key=lambda o: own[o])
        raise OptionError(
            f"--budget {budget_db:g}dB: expected what fp16 weights hold, found {own[output]:.1f} dB of {output} in"
            f" {name}; ask for less, or leave the format out with --target"
        )
    count = _longest(len(steps), lambda n: check.holds(after(n)), report)
    kinds_now = after(count)
    tried = steps[count : count + TRIES]
    for k, step in enumerate(tried):
        report(f"{step.layer} as {step.kind.value} too", k, len(tried))
        more = kinds_now | {step.layer: step.kind}
        if check.holds(more):
            kinds_now = more
    return Found(
        kinds_now,
        {target: check.worst_db(kinds_now, target) for target in found.targets},
        {target: sum(found.bytes_of(n, k, target) for n, k in kinds_now.items()) for target in found.targets},
        {target: sum(found.bytes_of(n, Kind.FP16, target) for n in kinds_now) for target in found.targets},
    )


def _longest(most: int, holds: Callable[[int], bool], report: Report) -> int:
    """The largest number of steps that holds, by halves: 0 holds.

    Args:
        most: number of steps.
        holds: whether the first so many do.
        report: called before each.
    """
    least, beyond, done = 0, most + 1, 0
    total = max(1, (most + 1).bit_length())
    while beyond - least > 1:
        middle = (least + beyond) // 2
        report(f"the whole with {middle} of {most} steps", min(done, total), total)
        least, beyond = (middle, beyond) if holds(middle) else (least, middle)
        done += 1
    return least
