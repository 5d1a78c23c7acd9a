"""The study: a page that does not tell the sides, what a person does on it, and what is made of the answers."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_photo
from portraiture.tools.commands.study import command
from portraiture.tools.study.page import Pairs, find_pairs, write_study
from portraiture.tools.study.tally import Share, tally

NAMES = ("anna_1", "ben_2", "<b>cleo", "dora_4")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Four pictures of each rendering: red ones and blue ones."""
    for side, colour in (("filter_1", (200, 0, 0)), ("filter_2", (0, 0, 200))):
        (tmp_path / side).mkdir()
        for name in NAMES:
            write_photo(tmp_path / side / f"{name}.png", np.full((40, 60, 3), colour, np.uint8))
    return tmp_path / "filter_1", tmp_path / "filter_2"


@pytest.fixture
def study(folders: tuple[Path, Path], tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The page's folder, and the key."""
    key_file, _ = write_study(find_pairs(*folders), tmp_path / "study", "Which?", 1600, 0)
    return tmp_path / "study", json.loads(key_file.read_text())


def run(*arguments: object) -> str:
    done = CliRunner().invoke(command, [str(a) for a in arguments])
    if done.exception is not None:
        raise done.exception
    return done.output


def answers(path: Path, key: dict[str, Any], participant: str, sides: str, left: str = "a") -> Path:
    """Results of one person: of each pair ``a``, ``b`` or ``-``, with one side always on the left."""
    right = {"a": "b", "b": "a"}[left]
    choices = [
        {"left": pair[left], "right": pair[right], "chosen": pair.get(side), "ms": 900}
        for pair, side in zip(key["pairs"], sides, strict=False)
    ]
    value = {"kind": "portraiture study results", "study": key["study"], "participant": participant, "choices": choices}
    path.write_text(json.dumps(value))
    return path


class TestPage:
    def test_nothing_in_the_folder_tells_the_sides(
        self, study: tuple[Path, dict[str, Any]], folders: tuple[Path, Path]
    ) -> None:
        folder, key = study
        page = (folder / "index.html").read_text()
        shown = json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])["pairs"]
        assert len(shown) == len(NAMES) == len(key["pairs"])
        assert all(pair == sorted(pair) for pair in shown)
        first = Counter(pair[0] == entry["a"] for pair, entry in zip(shown, key["pairs"], strict=True))
        assert 0 < first[True] < len(NAMES)  # a name's order is no side's
        assert not any(word in page for word in ("filter_1", "filter_2", *NAMES))
        assert {p.name for p in folder.iterdir()} == {"index.html", "pictures"}
        for entry in key["pairs"]:  # and the key does tell them
            for side, source in zip("ab", folders, strict=True):
                expected = read_photo(source / f"{entry['photo']}.png")
                assert np.array_equal(read_photo(folder / "pictures" / entry[side]), expected)

    def test_an_equal_seed_gives_equal_files(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        for name, seed in (("one", 5), ("two", 5), ("three", 6)):
            write_study(find_pairs(*folders), tmp_path / name, "Which?", 1600, seed)
        one, two, three = (
            sorted((p.name, p.read_bytes()) for p in (tmp_path / n).rglob("*.*")) for n in ("one", "two", "three")
        )
        assert one == two
        assert one != three

    def test_large_pictures_are_shrunk(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        write_study(find_pairs(*folders), tmp_path / "study", "Which?", 30, 0)
        assert {read_photo(p).shape for p in (tmp_path / "study/pictures").iterdir()} == {(20, 30, 3)}

    def test_what_cannot_be_compared_is_left_out_and_said(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        shutil.copy(folders[0] / "anna_1.png", folders[1] / "anna_1.png")
        write_photo(folders[0] / "eve.png", np.zeros((16, 16, 3), np.uint8))
        printed = run("--a", folders[0], "--b", folders[1], "-o", tmp_path / "study")
        assert "left out, since one folder lacks them: eve" in printed
        assert "left out, since both pictures are the same: 1" in printed
        assert "asks of 3 pairs" in printed
        assert "study.key.json tells which is which" in printed
        assert len(list((tmp_path / "study/pictures").iterdir())) == 6

    def test_a_question_with_markup_is_text(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        write_study(find_pairs(*folders), tmp_path / "study", "<script>x</script>", 1600, 0)
        assert "<script>x" not in (tmp_path / "study/index.html").read_text()

    def test_bad_folders_are_one_line_and_leave_nothing(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        a, b = folders
        out = tmp_path / "study"
        write_photo(tmp_path / "other.png", np.zeros((16, 16, 3), np.uint8))
        with pytest.raises(InputError, match="expected pictures named as those"):
            find_pairs(a, tmp_path)
        with pytest.raises(InputError, match="expected a folder of photos"):
            find_pairs(a, tmp_path / "nowhere")
        with pytest.raises(InputError, match="expected pictures that differ"):
            write_study(find_pairs(a, a), out, "Which?", 1600, 0)
        write_photo(a / "ben_2.jpg", np.zeros((16, 16, 3), np.uint8))
        with pytest.raises(InputError, match="expected one picture of a name"):
            find_pairs(a, b)
        (a / "ben_2.jpg").unlink()
        write_photo(b / "dora_4.png", np.zeros((16, 16, 3), np.uint8))
        with pytest.raises(InputError, match="expected the 60x40 pixels"):
            write_study(find_pairs(a, b), out, "Which?", 1600, 0)
        assert not [p for p in tmp_path.iterdir() if "study" in p.name]
        out.mkdir()
        with pytest.raises(InputError, match="expected a new folder"):
            write_study(find_pairs(a, b), out, "Which?", 1600, 0)
        with pytest.raises(OptionError, match="name all three"):
            run("--a", a, "--b", b)


class TestTally:
    def test_counts_intervals_and_tests(self, study: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
        _, key = study
        files = [answers(tmp_path / "0.json", key, "p0", "aaab"), answers(tmp_path / "1.json", key, "p1", "aa-b", "b"),
                 answers(tmp_path / "2.json", key, "p2", "bb")]  # fmt: skip
        files.append(shutil.copy(files[0], tmp_path / "sent twice.json"))
        counted = tally([*files, tmp_path / "study.key.json"])
        assert counted.participants == 3
        assert counted.undecided == 1
        assert (counted.preferred.chosen, counted.preferred.of) == (5, 9)
        assert (counted.people.chosen, counted.people.of) == (2, 3)
        # A is left of p0 and p2, right of p1: p0 chose it 3 times, p2 never, p1 chose B once
        assert (counted.left.chosen, counted.left.of) == (4, 9)
        by_photo = dict(
            zip((p["photo"] for p in key["pairs"]), ((2, 1, 0), (2, 1, 0), (1, 0, 1), (0, 2, 0)), strict=True)
        )
        assert counted.photos == by_photo
        printed = run("--tally", *files, tmp_path / "study.key.json", "--json", tmp_path / "counts.json")
        assert "A (filter_1) before B (filter_2): 5 of 9, 55.6 %, 95 % interval 26.7 to 81.1 %, p = 1" in printed
        assert json.loads((tmp_path / "counts.json").read_text())["photos"]["anna_1"] == {"a": 2, "b": 1, "neither": 0}

    def test_wilsons_interval_and_the_exact_test_by_hand(self) -> None:
        chosen, of, z = 143, 213, 1.959964
        share = Share.counted(chosen, of)
        p, d = chosen / of, 1 + z * z / of
        centre, half = (p + z * z / (2 * of)) / d, z / d * (p * (1 - p) / of + z * z / (4 * of * of)) ** 0.5
        assert share.low == pytest.approx(centre - half, abs=1e-6)
        assert share.high == pytest.approx(centre + half, abs=1e-6)
        assert Share.counted(4, 4).p_value == pytest.approx(2 / 2**4)
        assert str(Share.counted(0, 0)) == "no choice"

    def test_wrong_files_are_refused(self, study: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
        _, key = study
        key_file, good = tmp_path / "study.key.json", answers(tmp_path / "good.json", key, "p0", "aabb")
        with pytest.raises(InputError, match="expected the key of one study and results, found 0 and 1"):
            tally([good])
        with pytest.raises(InputError, match="expected the key of one study and results, found 1 and 0"):
            tally([key_file])
        other = answers(tmp_path / "other.json", key, "p0", "bbbb")
        with pytest.raises(InputError, match=r"other.json: expected one result of a participant"):
            tally([key_file, good, other])
        (tmp_path / "foreign.json").write_text(good.read_text().replace(key["study"], "0" * 16))
        with pytest.raises(InputError, match=r"foreign.json: expected study"):
            tally([key_file, good, tmp_path / "foreign.json"])
        for damage in ('"chosen": "x.png"', '"chosen": 3', '"chosen": []'):
            (tmp_path / "bad.json").write_text(re.sub(r'"chosen": "[^"]*"', damage, good.read_text(), count=1))
            with pytest.raises(InputError, match=r"bad.json: expected choices of the study's pairs"):
                tally([key_file, tmp_path / "bad.json"])
        twice = json.loads(good.read_text())
        twice["choices"][1] = twice["choices"][0]
        (tmp_path / "twice.json").write_text(json.dumps(twice))
        with pytest.raises(InputError, match="expected a photo's pair once"):
            tally([key_file, tmp_path / "twice.json"])
        for text in ("", "[]", '{"kind": "portraiture study results"}', '{"kind": []}', key_file.read_text()[:-9]):
            (tmp_path / "odd.json").write_text(text)
            with pytest.raises(InputError, match=r"odd.json: expected results or the key"):
                tally([key_file, good, tmp_path / "odd.json"])
        with pytest.raises(OptionError, match="expected files of results alone"):
            run("--tally", good, "-o", tmp_path / "new")


def test_a_person_plays_it_in_a_browser(study: tuple[Path, dict[str, Any]], page: Any, tmp_path: Path) -> None:
    folder, key = study
    keys = ["ArrowLeft", "Backspace", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowRight"]
    files, sides = [], []
    for person in ("anna", "ben"):
        page.open(f"{(folder / 'index.html').as_uri()}?participant={person}")
        for name in keys:
            page.until("!document.getElementById('neither').disabled")
            page.press(name)
        page.until("!document.getElementById('end').hidden")
        text = page.value("document.getElementById('answers').value")
        result = json.loads(text)
        assert result["participant"] == person
        assert [c["chosen"] for c in result["choices"]] == [
            c[side] if side else None for c, side in zip(result["choices"], ("right", "", "left", "right"), strict=True)
        ]
        assert all(c["ms"] >= 0 for c in result["choices"])
        sides.append([(c["left"], c["right"]) for c in result["choices"]])
        files.append(tmp_path / f"{person}.json")
        files[-1].write_text(text)
    assert not page.complaints
    assert {frozenset(pair) for pair in sides[0]} == {frozenset((p["a"], p["b"])) for p in key["pairs"]}
    assert sides[0] != sides[1]  # order and sides are each participant's own
    page.open(f"{(folder / 'index.html').as_uri()}?participant=ben")  # a reload keeps what was answered
    page.until("!document.getElementById('end').hidden")
    assert page.value("document.getElementById('answers').value") == files[1].read_text()
    counted = tally([*files, tmp_path / "study.key.json"])
    assert (counted.participants, counted.preferred.of, counted.undecided, counted.left.chosen) == (2, 6, 2, 2)


def test_pairs_keep_the_order_of_their_names(folders: tuple[Path, Path]) -> None:
    pairs = find_pairs(*folders)
    assert isinstance(pairs, Pairs)
    assert pairs.names == sorted(NAMES)
    assert [p.stem for p in (*pairs.a, *pairs.b)] == 2 * sorted(NAMES)
