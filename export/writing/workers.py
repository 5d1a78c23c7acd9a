"""Work that is independent, shared out among processes.

The processes are spawned, not forked: what converters keep in threads does not survive a fork.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from portraiture.reference.errors import ExportError, PortraitureError
from portraiture.reference.files import NO_ROOM
from portraiture.reference.processes import end_with_the_parent

Job = TypeVar("Job")
Result = TypeVar("Result")

Say = Callable[[str, bool], None]

_DIED = (
    "expected the processes that write files to go on, one of them died; free memory, or, in a script, call"
    ' export_bundle below if __name__ == "__main__"'
)


def in_processes(
    work: Callable[..., Result], context: Callable[[], tuple[Any, ...]], jobs: Sequence[Job], count: int, say: Say
) -> list[Result]:
    """Do each job once, in several processes of one thread each; whoever is done takes the next one.

    Args:
        work: ``work(*context, job, say)``, a function of a module; ``say`` reaches the one below.
        context: makes what every job needs, while the processes start; it is pickled once.
        jobs: the longest first, so that the processes end together.
        count: number of processes, 1 to the number of jobs.
        say: called here with what the processes say, in the order in which it comes.

    Returns:
        What each job gave, in the order in which they ended.

    Raises:
        PortraitureError: the first that a job raised; the other processes are ended.
        ExportError: a job raised another error, or a process died.
    """
    waiting: Iterator[Job | None] = iter([*jobs, *[None] * count])
    results: list[Result] = []
    with _processes(pickle.dumps(work), count) as busy:
        payload = pickle.dumps(context())
        for connection in busy:
            _send(connection, payload)
            _send(connection, pickle.dumps(next(waiting)))
        while busy:
            ready = wait(busy)
            for connection in [c for c in busy if c in ready]:
                kind, *said = _received(connection)
                if kind == "said":
                    say(*said)
                    continue
                results.append(said[0])
                job = next(waiting)
                _send(connection, pickle.dumps(job))
                if job is None:
                    busy.remove(connection)
    return results


def _received(connection: Connection) -> Any:
    """What a process sent.

    Raises:
        PortraitureError: it sent one.
        ExportError: it died.
    """
    try:
        kind, *said = pickle.loads(connection.recv_bytes())
    except (EOFError, ConnectionError) as error:
        raise ExportError(_DIED) from error
    if kind == "failed":
        raise said[0]
    return kind, *said


def _send(connection: Connection, message: bytes) -> None:
    """Send to a process.

    Raises:
        ExportError: it died.
    """
    try:
        connection.send_bytes(message)
    except ConnectionError as error:
        raise ExportError(_DIED) from error


@contextmanager
def _processes(work: bytes, count: int) -> Iterator[list[Connection]]:
    """The connections to new processes, which are ended when the block is left, however it is."""
    spawn = multiprocessing.get_context("spawn")
    started, connections = [], []
    try:
        for _ in range(count):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(theirs, work), daemon=True)
            process.start()
            theirs.close()  # so that the end of the process is the end of the connection
            started.append(process)
            connections.append(ours)
        yield list(connections)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join()


def _serve(connection: Connection, pickled: bytes) -> None:
    """What a process does: one job after the other, until None comes; first of all comes the context."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the parent's to answer
    end_with_the_parent()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by what the work imports
    if torch := sys.modules.get("torch"):  # imported by a user's script
        torch.set_num_threads(1)
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())  # its own is a semaphore of the system, which is lost when the process is ended
    work = pickle.loads(pickled)  # imports what it needs, while the context is made
    context = pickle.loads(connection.recv_bytes())

    def send(*message: Any) -> None:
        connection.send_bytes(pickle.dumps(message))

    while (job := pickle.loads(connection.recv_bytes())) is not None:
        try:
            send("done", work(*context, job, lambda line, begins: send("said", line, begins)))
        except PortraitureError as error:
            send("failed", error)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NO_ROOM:  # the parent says it as of its own files
                send("failed", error)
                continue
            failure = ExportError(f"{type(error).__name__}: {error}; a converter failed: try another --target")
            failure.add_note(traceback.format_exc())
            send("failed", failure)
