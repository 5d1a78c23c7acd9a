"""Processes that others start."""

import multiprocessing
import os
import threading


def end_with_the_parent() -> None:
    """End this process when the one that started it does: one that is killed does not tell its workers."""
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
