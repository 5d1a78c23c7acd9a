"""Timers that the benches share."""

import time
from collections.abc import Callable, Sequence

import numpy as np


class Laps:
    """Wall time of stages that follow each other; the first begins when this is made.

    Attributes:
        seconds: of each stage by name.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = time.perf_counter()

    def end(self, stage: str) -> None:
        """A stage ends here and the next one begins."""
        now = time.perf_counter()
        self.seconds[stage] = now - self._started
        self._started = now


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of one run."""
    laps = Laps()
    work()
    laps.end("work")
    return laps.seconds["work"]


def best_s(work: Callable[[], object], repeats: int) -> float:
    """Best of several runs after one that warms up, in seconds."""
    work()
    return min(seconds_of(work) for _ in range(repeats))


def turns_ms(work: Sequence[Callable[[], object]], repeats: int) -> list[tuple[float, ...]]:
    """Milliseconds of each, turn by turn after one warm-up, so that a noisy moment meets all of them."""
    for run in work:
        run()
    return [tuple(1e3 * seconds_of(run) for run in work) for _ in range(repeats)]


def interleaved_ms(work: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Median milliseconds of each, run in turns as :func:`turns_ms` does."""
    return [float(np.median(found)) for found in zip(*turns_ms(work, repeats), strict=True)]
