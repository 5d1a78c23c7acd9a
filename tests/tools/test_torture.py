"""The torture's own tests: damage is seeded, and what it must find is found when it is planted."""

import json
import random
from pathlib import Path

import pytest

from portraiture.reference.errors import InputError
from portraiture.tools.torture.killing import Kills
from portraiture.tools.torture.mutate import mutated, mutated_json
from portraiture.tools.torture.places import Case, to_place
from portraiture.tools.torture.readers import Kind
from portraiture.tools.torture.table import cases_table, counts_table, kills_table
from portraiture.tools.torture.workers import Count, Outcome, damage, judged

DATA = bytes(range(256)) * 20

JSON = json.dumps({"a": [1, 2.5, None], "b": {"c": "text", "d": True}}).encode()


@pytest.mark.parametrize(("change", "data"), [(mutated, DATA), (mutated_json, JSON)])
def test_damage_is_seeded_and_changes_the_file(change, data: bytes) -> None:
    first, second = ([change(data, random.Random(k)) for k in range(300)] for _ in range(2))
    assert first == second
    assert sum(found != data for found in first) > 290
    assert len(set(first)) > 150


def test_files_of_one_number_are_equal_and_of_another_are_not() -> None:
    kind = Kind("x", "x", lambda _: None)
    assert damage(kind, DATA, 0, 5) == damage(kind, DATA, 0, 5)
    assert len({damage(kind, DATA, seed, k) for seed in (0, 1) for k in range(20)}) > 35


def test_an_empty_file_stays_empty() -> None:
    assert mutated(b"", random.Random(0)) == b""


def test_json_loses_keys_and_gets_wrong_types() -> None:
    found = []
    for k in range(300):
        try:
            found.append(json.loads(mutated_json(JSON, random.Random(k))))
        except (ValueError, RecursionError):
            found.append("no JSON")
    assert "no JSON" in found
    assert any(isinstance(f, dict) and "b" not in f for f in found)
    assert any(isinstance(f, dict) and not isinstance(f.get("b"), dict) for f in found)


def _raising(error: Exception) -> Kind:
    def read(_: Path) -> None:
        raise error

    return Kind("planted", "x", read)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (KeyError("planted"), Outcome.TRACEBACK),
        (MemoryError(), Outcome.MEMORY),
        (InputError("x: expected a, found b"), Outcome.UNCLEAR),
        (InputError(f"x: expected a, found {'b' * 3000}; do c"), Outcome.REFUSED),
        (InputError("x: expected a, found b; do c"), Outcome.REFUSED),
    ],
)
def test_a_planted_error_is_counted(error: Exception, outcome: Outcome, tmp_path: Path) -> None:
    count = Count("planted")
    count.add(*judged(_raising(error), tmp_path))
    count.add(*judged(Kind("sound", "x", lambda _: None), tmp_path))
    assert count.files == 2
    assert count.outcomes[outcome] == 1
    assert count.outcomes[Outcome.SOUND] == 1
    assert count.faults == (outcome is not Outcome.REFUSED)
    assert ("KeyError" in counts_table([count])) == (outcome is Outcome.TRACEBACK)


def test_tables_say_what_went_wrong() -> None:
    kills = Kills("render", 2.0, kills=2, whole=2, went_on=1, litter=1, notes=("litter: .out.tmp",))
    assert kills.faults == 2
    assert "litter: .out.tmp" in kills_table([kills])
    cases = [Case("disk full", "a"), Case("disk full", "b", wrong="left c"), Case("names", "d", not_run="no mount")]
    assert "b: left c" in cases_table(cases)
    assert "not run, no mount" in cases_table(cases)


def test_an_output_is_exchanged_and_keeps_its_ending() -> None:
    assert to_place(["render", "me.png", "-o", "out.png"], "file/out") == ["render", "me.png", "-o", "file/out.png"]
    assert to_place(["export", "-o", "b", "--no-gate"], "/sys/x") == ["export", "-o", "/sys/x", "--no-gate"]
