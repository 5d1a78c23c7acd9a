"""Work that is independent, shared out among processes: a queue for each kind, and whoever is done helps the others.

The processes are spawned, not forked: what converters keep in threads does not survive a fork.
"""

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from portraiture.reference.errors import ExportError, PortraitureError

Job = TypeVar("Job")
Result = TypeVar("Result")

Say = Callable[[str, bool], None]


def in_processes(
    work: Callable[..., Result], context: tuple[Any, ...], queues: Sequence[Sequence[Job]], count: int, say: Say
) -> list[Result]:
    """Do each job once, in several processes of one thread each.

    Args:
        work: ``work(*context, job, say)``, a function of a module; ``say`` reaches the one below.
        context: what every job needs; it is pickled once for each process.
        queues: jobs by kind. A process begins with a kind of its own, so that it loads what that kind needs and no
            more; when its queue is empty it takes the last job of the longest other one.
        count: number of processes, 1 to the number of queues.
        say: called here with what the processes say, in the order in which it comes.

    Returns:
        What each job gave, in the order in which they ended.

    Raises:
        PortraitureError: the first that a job raised; the other processes are ended.
        ExportError: a job raised another error, or a process died.
    """
    waiting = [deque(queue) for queue in queues]
    payload = pickle.dumps((work, context))
    results: list[Result] = []
    with _processes(payload, count) as connections:
        busy = dict(enumerate(connections))
        for k, connection in busy.items():
            connection.send(_next(waiting, k))
        while busy:
            for connection in wait(list(busy.values())):
                assert isinstance(connection, Connection)
                k = next(k for k, c in busy.items() if c is connection)
                kind, *said = _received(connection)
                if kind == "said":
                    say(*said)
                    continue
                results.append(said[0])
                job = _next(waiting, k)
                connection.send(job)
                if job is None:
                    del busy[k]
    return results


def _next(waiting: Sequence[deque[Job]], k: int) -> Job | None:
    """The first job of queue ``k``, else the last of the longest queue, else None."""
    if waiting[k]:
        return waiting[k].popleft()
    longest = max(waiting, key=len)
    return longest.pop() if longest else None


def _received(connection: Connection) -> Any:
    """What a process sent.

    Raises:
        PortraitureError: it sent one.
        ExportError: it died.
    """
    try:
        kind, *said = pickle.loads(connection.recv_bytes())
    except (EOFError, ConnectionError) as error:
        raise ExportError(
            "expected the processes that write files to go on, one of them died; free memory, or, in a script, call"
            ' export_bundle below if __name__ == "__main__"'
        ) from error
    if kind == "failed":
        raise said[0]
    return kind, *said


@contextmanager
def _processes(payload: bytes, count: int) -> Iterator[list[Connection]]:
    """The connections to new processes, which are ended when the block is left, however it is."""
    spawn = multiprocessing.get_context("spawn")
    started, connections = [], []
    try:
        for _ in range(count):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(theirs, payload), daemon=True)
            process.start()
            theirs.close()  # so that the end of the process is the end of the connection
            started.append(process)
            connections.append(ours)
        yield connections
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join()


def _serve(connection: Connection, payload: bytes) -> None:
    """What a process does: one job after the other, until None comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the parent's to answer
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    work, context = pickle.loads(payload)

    def send(*message: Any) -> None:
        connection.send_bytes(pickle.dumps(message))

    while (job := connection.recv()) is not None:
        try:
            send("done", work(*context, job, lambda line, begins: send("said", line, begins)))
        except PortraitureError as error:
            send("failed", error)
        except Exception as error:
            send("failed", ExportError(f"{type(error).__name__}: {error}; a converter failed: try another --target"))


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
