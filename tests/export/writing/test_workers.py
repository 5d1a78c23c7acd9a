"""Processes that share work: each job once, errors as they were raised, and none outlives the export."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.writing.workers import in_processes
from portraiture.reference.errors import ExportError, GateError, InputError

pytestmark = pytest.mark.slow

FILE = ModelFile("coarse", Target.ONNX, Precision.FP32, Size(64, 64), "onnx/coarse.onnx")


def square(offset: int, job: int, say: Any) -> tuple[int, int]:
    """A job that says two lines."""
    say(f"job {job}", True)
    say(f"half of job {job}", False)
    return job * job + offset, os.getpid()


def fail(kind: str, job: int, say: Any) -> None:
    """A job of which the second fails."""
    if job == 1:
        time.sleep(600)
    if kind == "gate":
        from portraiture.export.doctor.outputs import WrongFile  # PyTorch with it, which the other processes do without

        raise WrongFile("doctor: the file is wrong", FILE)
    if kind == "input":
        raise InputError("expected a photo")
    if kind == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise ZeroDivisionError("by nothing")


def wait(folder: Path, job: int, say: Any) -> None:
    """A job that says who does it and never ends."""
    (folder / str(os.getpid())).touch()
    time.sleep(600)


def test_each_job_is_done_once_and_says_its_lines_in_order() -> None:
    said: list[tuple[str, bool]] = []
    found = in_processes(square, lambda: (100,), [1, 2, 3, 4, 5, 6], 2, lambda *line: said.append(line))
    assert sorted(value for value, _ in found) == [100 + k * k for k in range(1, 7)]
    assert len({process for _, process in found}) == 2
    assert os.getpid() not in {process for _, process in found}
    for job in range(1, 7):
        begun = said.index((f"job {job}", True))
        assert (f"half of job {job}", False) in said[begun:]
    assert len(said) == 12
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("gate", GateError, "doctor: the file is wrong"),
        ("input", InputError, "expected a photo"),
        ("killed", ExportError, "one of them died"),
        ("full", OSError, "No space left on device"),
        ("bug", ExportError, "ZeroDivisionError: by nothing"),
    ],
)
def test_an_error_of_a_job_ends_the_others_and_is_raised_as_it_was(kind: str, error: type, words: str) -> None:
    start = time.perf_counter()
    with pytest.raises(error, match=words) as caught:
        in_processes(fail, lambda: (kind,), [1, 2], 2, lambda *_: None)
    assert type(caught.value).__name__ == (error.__name__ if kind != "gate" else "WrongFile")
    assert multiprocessing.active_children() == []
    assert time.perf_counter() - start < 300
    if kind == "gate":
        assert caught.value.file == FILE


PARENT = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background hands on that it is ignored
sys.path.insert(0, sys.argv[1])
import test_workers
from portraiture.export.writing.workers import in_processes
if __name__ == "__main__":
    in_processes(test_workers.wait, lambda: (Path(sys.argv[2]),), [1, 2], 2, lambda *_: None)
"""


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_parent(tmp_path: Path, by: signal.Signals) -> None:
    script, folder = tmp_path / "parent.py", tmp_path / "processes"
    script.write_text(PARENT)
    folder.mkdir()
    command = [sys.executable, "-W", "ignore", str(script), str(Path(__file__).parent), str(folder)]
    parent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: len(list(folder.iterdir())) == 2)
        parent.send_signal(by)
        parent.wait(60)
        processes = [int(p.name) for p in folder.iterdir()]
        _until(lambda: not any(map(_runs, processes)))
    finally:
        parent.kill()


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _until(done: Any) -> None:
    for _ in range(2400):
        if done():
            return
        time.sleep(0.1)
    pytest.fail("waited for 240 s")


def test_a_truth_takes_what_it_remembers_to_another_process(astronaut: Any) -> None:
    import pickle

    from portraiture.export.networks.build import Networks
    from portraiture.export.pipeline.truth import Truth

    truth = Truth(Networks())
    expected = truth.expected("coarse", Size(64, 64), astronaut)
    other = pickle.loads(pickle.dumps(truth))
    other.networks._loaded.clear()
    other.networks._built.clear()
    other.networks.checkpoints = None  # nothing is read or built again
    assert all((other.expected("coarse", Size(64, 64), astronaut)[n] == v).all() for n, v in expected.items())
