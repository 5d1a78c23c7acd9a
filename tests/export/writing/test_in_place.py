"""An export that is killed at any point leaves the old bundle, the new one or none; the next one cleans up."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from portraiture.export.bundle.checksums import checksums, verify
from portraiture.export.bundle.manifest import MANIFEST, read_manifest
from portraiture.export.contract import VERSION
from portraiture.export.writing import in_place
from portraiture.export.writing.in_place import replacing
from portraiture.reference.errors import InputError

# the child of a fork only writes files and dies: what other threads of pytest's process hold does not matter to it
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:RuntimeWarning", "ignore:.*fork:DeprecationWarning")

MODEL = {"name": "perception", "target": "tflite", "precision": "fp16", "size": "64x64", "path": "tflite/p.tflite",
         "bytes": 10, "ops": {"ADD": 1}, "op_count": 1, "meaning": "m", "inputs": [], "outputs": []}  # fmt: skip


def step(name: str) -> None:
    """A point of an export; the child that is to die there replaces this."""


def write(folder: Path, content: str) -> None:
    """An export of one small file, with a point before and after each step."""
    with replacing(folder) as new:
        step("nothing written")
        (new / "tflite").mkdir()
        (new / "tflite" / "p.tflite").write_text(content[:2])
        step("half a model")
        (new / "tflite" / "p.tflite").write_text(content)
        step("models written")
        manifest = {"contract_version": VERSION, "git_revision": "abc", "tools": {}, "resize": {}, "compose": {},
                    "weights": {}, "model_card": {}, "models": [MODEL], "files": checksums(new)}  # fmt: skip
        text = json.dumps(manifest)
        (new / MANIFEST).write_text(text[:50])
        step("half a manifest")
        (new / MANIFEST).write_text(text)
        step("before the swap")


def content_of(folder: Path) -> str | None:
    """What a whole bundle holds, None where there is none; anything between raises."""
    if not folder.exists():
        return None
    verify(folder, read_manifest(folder))
    return (folder / "tflite" / "p.tflite").read_text()


def killed(action: Callable[[], None], monkeypatch: pytest.MonkeyPatch, patch: Callable[[Callable[[], None]], None]):
    """Run an action in a child that kills itself where the patch says."""
    child = os.fork()
    if child == 0:  # nothing below may return to pytest
        try:
            patch(lambda: os.kill(os.getpid(), signal.SIGKILL))
            action()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


POINTS = ("nothing written", "half a model", "models written", "half a manifest", "before the swap")


@pytest.mark.parametrize("old", ["old content", None])
@pytest.mark.parametrize("point", POINTS)
def test_killed_before_the_swap_leaves_the_old_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, old: str | None
) -> None:
    folder = tmp_path / "bundle"
    if old:
        write(folder, old)

    def patch(die: Callable[[], None]) -> None:
        monkeypatch.setitem(globals(), "step", lambda name: die() if name == point else None)

    killed(lambda: write(folder, "new content"), monkeypatch, patch)
    assert content_of(folder) == old
    assert len(list(tmp_path.glob(".bundle.export-*"))) == 1
    write(folder, "next content")
    assert content_of(folder) == "next content"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("can_exchange", [True, False])
@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True])
def test_killed_around_each_step_of_the_swap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int, after: bool, can_exchange: bool
) -> None:
    folder = tmp_path / "bundle"
    write(folder, "old content")
    if can_exchange and not in_place.exchange(folder, folder):
        pytest.skip("this file system cannot exchange two names")
    calls = 0

    def dying(real: Callable[..., object], die: Callable[[], None]) -> Callable[..., object]:
        def run(*args: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls == call and not after:
                die()
            result = real(*args, **options)
            if calls == call:
                die()
            return result

        return run

    def patch(die: Callable[[], None]) -> None:
        if can_exchange:
            monkeypatch.setattr(in_place, "exchange", dying(in_place.exchange, die))
        else:
            monkeypatch.setattr(in_place, "exchange", lambda *_: False)
            monkeypatch.setattr(os, "replace", dying(os.replace, die))
        # the removal of the old bundle, last of all: file by file
        monkeypatch.setattr(os, "unlink", dying(os.unlink, die))

    killed(lambda: write(folder, "new content"), monkeypatch, patch)
    found = content_of(folder)
    if can_exchange:
        assert found == ("old content" if (call, after) == (1, False) else "new content")
    else:
        steps = {(1, False): "old content", (1, True): None, (2, False): None}
        assert found == steps.get((call, after), "new content")
    write(folder, "next content")
    assert content_of(folder) == "next content"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_running_exports_folder_is_left_alone_and_so_is_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    mine = tmp_path / ".bundle.git"
    mine.mkdir()
    with replacing(folder) as slow:
        (slow / MANIFEST).write_text("slow")
        write(folder, "quick content")
        assert content_of(folder) == "quick content"
        assert (slow / MANIFEST).read_text() == "slow"
    assert (folder / MANIFEST).read_text() == "slow"
    assert sorted(p.name for p in tmp_path.iterdir()) == [".bundle.git", "bundle"]


def test_half_a_bundle_is_told_from_a_whole_one(tmp_path: Path) -> None:
    write(tmp_path / "bundle", "old content")
    (tmp_path / "bundle" / "tflite" / "p.tflite").write_text("ol")
    with pytest.raises(InputError, match=r"p\.tflite"):
        content_of(tmp_path / "bundle")
