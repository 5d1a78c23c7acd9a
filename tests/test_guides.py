"""The guides are true: every ``python`` and ``sh`` block of each README.md runs, from top to bottom, in a small folder.

The folder holds ``me.jpg``, ``photos/`` with two photos, ``bundle/``, a small exported bundle, and ``forty/``, forty
procedural photos in ``images/`` with their ``masks/``. The blocks of one
guide share the folder, and its ``python`` blocks one namespace. An ``sh`` block holds one ``portraiture`` command per
line; what needs data sets or hours stands in a ``text`` block and is not run.
"""

import contextlib
import io
import re
import shlex
import shutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from portraiture.reference.evaluation.procedural_scene import simple_scene
from portraiture.reference.evaluation.simulator import all_in_focus, scene_mask
from portraiture.reference.photo.write import write_photo
from portraiture.reference.srgb import to_srgb
from portraiture.tools.cli import THREAD_VARIABLES, group

ROOT = Path(__file__).resolve().parents[1]
GUIDES = ("README.md", *(f"{layer}/README.md" for layer in ("reference", "training", "export", "tools")))
SIDE = 256
"""Of the photos, in pixels: large enough to find the person, small enough to be quick."""


@dataclass(frozen=True)
class Block:
    """Code in a guide.

    Attributes:
        language: what its fence says, such as ``python``.
        line: of its first line of code in the guide, counted from 1.
        code: without the fences.
    """

    language: str
    line: int
    code: str


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a Markdown text, in order."""
    found, opened, language = [], 0, ""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        fence = re.match(r"```(\w*)", line)
        if fence and not opened:
            opened, language = number, fence[1]
        elif fence:
            found.append(Block(language, opened + 1, "\n".join(lines[opened : number - 1])))
            opened = 0
    assert not opened, f"line {opened}: expected a closing fence"
    return found


def commands_of(block: Block) -> list[tuple[int, list[str]]]:
    """The commands of an ``sh`` block with their lines; a backslash goes on in the next line, ``#`` is a comment."""
    found: list[tuple[int, list[str]]] = []
    pending, began = "", 0
    for number, line in enumerate(block.code.splitlines(), block.line):
        began = began if pending else number
        pending += line
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        words = shlex.split(pending, comments=True)
        pending = ""
        if words:
            found.append((began, words))
    return found


def run_command(words: list[str]) -> None:
    """One ``portraiture`` command in this process; what fails raises."""
    assert words[0] == "portraiture", f"expected a portraiture command, found {words[0]}; put it in a text block"
    group.main(words[1:], prog_name="portraiture", standalone_mode=False)


def run_block(block: Block, guide: str, names: dict[str, Any]) -> None:
    """Run a block in the working folder.

    Args:
        block: of any language; only ``python`` and ``sh`` are run.
        guide: file name, for messages.
        names: what the guide's ``python`` blocks have defined so far.
    """
    if block.language == "python":
        padded = "\n" * (block.line - 1) + block.code
        exec(compile(padded, guide, "exec"), names)
    elif block.language == "sh":
        for line, words in commands_of(block):
            try:
                run_command(words)
            except BaseException as error:
                error.add_note(f"{guide}, line {line}: {shlex.join(words)}")
                raise


@pytest.fixture
def folder(tmp_path: Path, astronaut: np.ndarray, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that guides are written for, as the working folder; threads are put back afterwards."""
    import torch

    small = np.asarray(cv2.resize(astronaut, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    (tmp_path / "photos").mkdir()
    for name in ("me.jpg", "photos/a.jpg", "photos/b.jpg"):
        write_photo(tmp_path / name, small)
    shutil.copytree(bundle, tmp_path / "bundle")
    monkeypatch.chdir(tmp_path)
    for variable in THREAD_VARIABLES:
        monkeypatch.setenv(variable, "1")
    threads = torch.get_num_threads(), cv2.getNumThreads()
    yield tmp_path
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])


def write_forty(root: Path) -> None:
    """Upright and landscape scenes with a person, whose masks are known."""
    for k in range(40):
        layers, person = simple_scene(k, (96, 128) if k % 2 else (128, 96))
        for part in ("images", "masks"):
            (root / part).mkdir(parents=True, exist_ok=True)
        write_photo(root / f"images/{k:02d}.png", np.rint(to_srgb(all_in_focus(layers)) * 255).astype(np.uint8))
        write_photo(root / f"masks/{k:02d}.png", np.rint(scene_mask(layers, person) * 255).astype(np.uint8))


@pytest.mark.parametrize("guide", GUIDES)
def test_every_code_line_of_a_guide_runs(guide: str, folder: Path) -> None:
    text = (ROOT / guide).read_text()
    blocks = blocks_of(text)
    if "forty" in text:
        write_forty(folder / "forty")
    said = io.StringIO()
    names: dict[str, Any] = {"__name__": "guide"}
    for block in blocks:
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                run_block(block, guide, names)
        except BaseException:
            pytest.fail(f"{guide}, block at line {block.line}:\n{said.getvalue()}\n{traceback.format_exc()}", False)
    assert any(block.language in ("python", "sh") for block in blocks), f"{guide}: expected code, found none"


GUIDE = """
```python
x = 1
```
```sh
portraiture inspect --help   # a comment
portraiture \\
    inspect nowhere
```
```text
rm -rf nothing
```
```python
assert x == 2
```
"""


def test_a_wrong_line_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    first, commands, text, last = blocks_of(GUIDE)
    names: dict[str, Any] = {}
    run_block(first, "GUIDE.md", names)
    assert [line for line, _ in commands_of(commands)] == [6, 7]
    with pytest.raises(Exception, match="nowhere") as refused:
        run_block(commands, "GUIDE.md", names)
    assert refused.value.__notes__ == ["GUIDE.md, line 7: portraiture inspect nowhere"]
    run_block(text, "GUIDE.md", names)
    with pytest.raises(AssertionError) as wrong:
        run_block(last, "GUIDE.md", names)
    assert traceback.extract_tb(wrong.tb)[-1].lineno == 14


def test_other_programs_are_refused() -> None:
    with pytest.raises(AssertionError, match="text block"):
        run_block(Block("sh", 1, "rm -rf nothing"), "GUIDE.md", {})
