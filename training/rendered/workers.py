"""Many independent jobs over the cores of this machine, or over machines by Dask distributed."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.processes import end_with_the_parent

Job = TypeVar("Job")

Result = TypeVar("Result")

CONNECT_S = 10
"""Seconds to wait for a scheduler to answer; chosen, not measured."""


def over_processes(work: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Results in the order in which they are done; on an error or Ctrl-C what has not begun is dropped.

    Args:
        work: a function that can be imported, since it travels by name.
        jobs: its arguments.
        workers: number of processes, 1 or more.
    """
    # not fork: PyTorch and OpenCV hold threads that do not survive it
    count = min(workers, max(1, len(jobs)))
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=end_with_the_parent) as pool:
        try:
            for future in as_completed([pool.submit(work, job) for job in jobs]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def over_dask(work: Callable[[Job], Result], jobs: Sequence[Job], scheduler: str) -> Iterator[Result]:
    """The same on the workers of a Dask scheduler; they need this package and the same paths.

    Args:
        work, jobs: as for :func:`over_processes`.
        scheduler: its address, ``tcp://host:port``.

    Raises:
        OptionError: Dask distributed is not installed.
        InputError: no scheduler answers, or it has no workers.
    """
    try:
        from distributed import Client
        from distributed import as_completed as as_completed_there
    except ImportError:
        raise OptionError(
            "--scheduler: expected Dask distributed, it is not installed; pip install 'portraiture[dask]'"
        ) from None
    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"--scheduler: expected a Dask scheduler at {scheduler}, none answers ({type(error).__name__});"
            " start one with: dask scheduler"
        ) from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise InputError(
                f"--scheduler: expected workers at {scheduler}, found none; start some: dask worker {scheduler}"
            )
        # not pure: a job writes a file, it must run even if an equal one ran before
        futures = client.map(work, list(jobs), pure=False)
        for future in as_completed_there(futures):
            yield future.result()
            future.release()
