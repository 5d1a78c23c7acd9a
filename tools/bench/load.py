"""A render beside other programs: a busy one on every core, and the time that it takes there and alone."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Semaphore

import numpy as np

from portraiture.export.pipeline.compose import to_bytes
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.full_size.render import render_photo
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.reference.settings import DEFAULT_SETTINGS
from portraiture.tools.bench.timing import seconds_of

GOAL = 3.0
"""A render beside a busy program on every core may take this many times the time alone: 2 is what is left of the
cores, the rest is for threads that wait for each other. Chosen, not measured."""


@dataclass(frozen=True)
class LoadTime:
    """Median wall times of a render.

    Attributes:
        render: its name.
        alone_s: on the machine as it is.
        busy_s: beside a busy program on every core.
        ratio: the second over the first; ``GOAL`` is the most that is wanted.
    """

    render: str
    alone_s: float
    busy_s: float
    ratio: float


def _spin(ready: Semaphore) -> None:
    """Say that it has begun, then compute until it is killed."""
    ready.release()
    while True:
        pass


@contextmanager
def busy_cores() -> Iterator[int]:
    """A program that computes without end on each core that this process may use; gives their number."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    ready = context.Semaphore(0)
    programs = [context.Process(target=_spin, args=(ready,), daemon=True) for _ in range(count)]
    try:
        for program in programs:
            program.start()
        for _ in programs:
            ready.acquire()
        yield count
    finally:
        for program in programs:
            program.kill()
            program.join()


def portrait(pipeline: Pipeline, rgb: np.ndarray, renderer: str) -> np.ndarray:
    """A photo's portrait, HxWx3 uint8, as ``portraiture render`` makes it.

    Args:
        pipeline: gives the maps, and the filter's picture.
        rgb: HxWx3 uint8.
        renderer: ``rnn`` or ``crf``.
    """
    maps = pipeline.perceive(rgb)
    if renderer == "rnn":
        return to_bytes(pipeline.render(rgb, maps, APERTURE_PAPER))
    return render_photo(rgb, maps.mask, maps.depth, DEFAULT_SETTINGS)


def bench_under_load(renders: dict[str, Callable[[], object]], repeats: int) -> list[LoadTime]:
    """Time renders alone, then beside a busy program on every core.

    Args:
        renders: by name; each is run once before, which loads what it needs.
        repeats: runs of each, 1 or more; medians count.
    """
    for render in renders.values():
        render()

    def medians() -> Sequence[float]:
        return [float(np.median([seconds_of(render) for _ in range(repeats)])) for render in renders.values()]

    alone = medians()
    with busy_cores():
        busy = medians()
    return [LoadTime(n, a, b, b / a) for n, a, b in zip(renders, alone, busy, strict=True)]
