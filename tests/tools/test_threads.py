"""``--threads``, and threads that wait without spinning: both are there before PyTorch is loaded."""

import json
import os
import subprocess
import sys

import pytest

from portraiture.export.runner import DEFAULT_THREADS, file_threads

PROBE = """
import json, os, sys, types
import click
from portraiture.tools import cli

assert "torch" not in sys.modules and "cv2" not in sys.modules

@click.command()
def command():
    import cv2, torch
    from portraiture.export.runner import file_threads
    found = [torch.get_num_threads(), cv2.getNumThreads(), file_threads(), os.environ["OMP_WAIT_POLICY"]]
    click.echo(json.dumps(found))

sys.modules["portraiture.tools.commands.inspect"] = types.SimpleNamespace(command=command)
cli.main()
"""


def probe(*options: str, **environment: str) -> list[object]:
    """Threads of PyTorch, OpenCV and a file, and the wait policy, as a command in a process of its own finds them."""
    inherited = {k: v for k, v in os.environ.items() if "THREADS" not in k and k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *options, "inspect"],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[object] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_threads_reach_every_library_and_waiting_is_passive() -> None:
    assert probe("--threads", "1") == [1, 1, 1, "PASSIVE"]
    assert probe(OMP_WAIT_POLICY="ACTIVE")[2:] == [DEFAULT_THREADS, "ACTIVE"]


def test_threads_reach_libraries_that_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2
    import torch

    from portraiture.tools.cli import THREAD_VARIABLES, group

    for variable in THREAD_VARIABLES:  # so that they are put back
        monkeypatch.setenv(variable, "1")
    before = torch.get_num_threads(), cv2.getNumThreads()
    try:
        group.main(["--threads", "1", "inspect", "--help"], standalone_mode=False)
        assert (torch.get_num_threads(), cv2.getNumThreads(), file_threads()) == (1, 1, 1)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


@pytest.mark.parametrize(("text", "expected"), [("4", 4), ("4,2", 4), ("", 2), ("many", 2), ("0", 2)])
def test_the_threads_of_a_file(monkeypatch: pytest.MonkeyPatch, text: str, expected: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert file_threads() == expected
