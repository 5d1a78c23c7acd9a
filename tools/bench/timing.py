"""Timers that the benches share."""

import time
from collections.abc import Callable

import numpy as np


def interleaved_ms(work: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median milliseconds of each, run in turns after one warm-up, so that a noisy moment meets all of them."""
    for run in work:
        run()
    times: list[list[float]] = [[] for _ in work]
    for _ in range(repeats):
        for run, found in zip(work, times, strict=True):
            started = time.perf_counter()
            run()
            found.append(1e3 * (time.perf_counter() - started))
    return [float(np.median(t)) for t in times]
