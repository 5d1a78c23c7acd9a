"""Runs the command line in a process of its own that has PyTorch and the converters loaded, to be killed or limited.

The processes are forked from a server that has imported what the commands need: a run begins with its work, not with
seconds of imports. Each leads a session, by which its own children are found.
"""

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

_WARM = [
    "portraiture.tools.commands.export", "portraiture.export.writing.export_bundle", "portraiture.tools.open_pipeline",
    "portraiture.tools.report.terminal", "portraiture.training.trainers", "portraiture.training.rendered.workers",
    "portraiture.training.rendered.jobs", "portraiture.reference.full_size.render", "portraiture.export.parity.device",
    "portraiture.tools.progress", "onnxruntime", "onnx", "skimage.data", "scipy.io", "ai_edge_litert.interpreter",
]  # fmt: skip

ORPHANS_END_S = 10.0
"""How long the children of a killed process may take to end."""

FORKSERVER = multiprocessing.get_context("forkserver")


def warm_up() -> None:
    """Have the server of processes load what the commands need; call it before the first process is started."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # threads do not survive a fork
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["PYTHONWARNINGS"] = "ignore"
    FORKSERVER.set_forkserver_preload(_WARM)


@dataclass(frozen=True)
class Ended:
    """A command that ended.

    Attributes:
        code: its exit code, or minus the signal that ended it.
        log: what it wrote to stdout and stderr.
        seconds: it took.
        orphans: processes that it left and that did not end by themselves; they are killed.
    """

    code: int
    log: str
    seconds: float
    orphans: int = 0

    @property
    def is_refusal(self) -> bool:
        """Whether it refused with one line and an exit code, not with a traceback."""
        last = self.log.strip().splitlines()[-1:] or [""]
        return self.code in (1, 2) and last[0].startswith("portraiture: ") and "Traceback" not in self.log


def _serve(arguments: list[str], folder: str, log: str, most_bytes: int | None) -> None:
    """What the process does."""
    os.setsid()
    os.chdir(folder)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    # Python would keep half of a compiled module where a file may not grow, and fail to load it ever after
    sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
    if most_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    _validate_often()
    sys.argv = ["portraiture", *arguments]
    from portraiture.tools import cli

    cli.main()


def _validate_often() -> None:
    """Have the smallest recipe keep its state after each step, so that there is something to go on from."""
    from dataclasses import replace

    from portraiture.training.recipes import FILTER_RECIPES

    FILTER_RECIPES["smoke"] = replace(FILTER_RECIPES["smoke"], validate_every=1, judged=1)


class Running:
    """A command in its own process.

    Args:
        arguments: of ``portraiture``.
        folder: where it runs.
        most_bytes: largest file that it may write; a write beyond it fails as on a full disk.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, most_bytes: int | None = None) -> None:
        self._log = folder.parent / f"{folder.name}.log"
        self._started = time.monotonic()
        target = (list(arguments), str(folder), str(self._log), most_bytes)
        self._process: BaseProcess = FORKSERVER.Process(target=_serve, args=target)
        self._process.start()

    def killed_after(self, seconds: float) -> bool:
        """Kill it with SIGKILL when it has run so long; False where it ended before."""
        self._process.join(max(0.0, self._started + seconds - time.monotonic()))
        if self._process.exitcode is not None:
            return False
        self._process.kill()
        return True

    def ended(self) -> Ended:
        """Wait for it, and for its children."""
        self._process.join()
        seconds = time.monotonic() - self._started
        orphans = _end_session(self._process.pid or 0)
        log = self._log.read_text(errors="replace") if self._log.exists() else ""
        return Ended(self._process.exitcode or 0, log, seconds, orphans)


def finished(arguments: Sequence[str], folder: Path, most_bytes: int | None = None) -> Ended:
    """Run a command to its end.

    Args:
        arguments: of ``portraiture``.
        folder: where it runs.
        most_bytes: largest file that it may write.
    """
    return Running(arguments, folder, most_bytes).ended()


def _session(leader: int) -> list[int]:
    """Processes of a session that are alive."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, session = entry.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state not in ("Z", "X"):
                found.append(int(entry.parent.name))
    return found


def _end_session(leader: int) -> int:
    """Wait for the processes of a session; the number of those that had to be killed."""
    until = time.monotonic() + ORPHANS_END_S
    while (left := _session(leader)) and time.monotonic() < until:
        time.sleep(0.05)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(left)
