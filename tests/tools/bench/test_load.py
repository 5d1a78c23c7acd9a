"""Times beside busy programs, and the timers of every bench."""

import multiprocessing
import time

import pytest

from portraiture.tools.bench.load import bench_under_load, busy_cores
from portraiture.tools.bench.timing import Laps, best_s, interleaved_ms


def test_busy_programs_compute_and_are_gone_afterwards() -> None:
    with busy_cores() as count:
        children = multiprocessing.active_children()
        assert len(children) == count
        before = [_cpu_ticks(child.pid) for child in children]
        time.sleep(1.0)
        assert all(_cpu_ticks(child.pid) > ticks for child, ticks in zip(children, before, strict=True))
    assert multiprocessing.active_children() == []


def _cpu_ticks(pid: int | None) -> int:
    """What a process has used of the processor."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_each_render_is_timed_alone_and_beside_them() -> None:
    runs = {"short": 0, "long": 0}

    def work(name: str, seconds: float) -> None:
        runs[name] += 1
        time.sleep(seconds)

    short, long = bench_under_load({"short": lambda: work("short", 0.01), "long": lambda: work("long", 0.05)}, 2)
    assert runs == {"short": 5, "long": 5}
    assert (short.render, long.render) == ("short", "long")
    assert 0.01 <= short.alone_s < long.alone_s
    assert long.busy_s >= 0.05
    assert long.ratio == pytest.approx(long.busy_s / long.alone_s)


def test_timers_measure_what_runs() -> None:
    laps = Laps()
    time.sleep(0.02)
    laps.end("first")
    laps.end("second")
    assert laps.seconds["first"] >= 0.02 > laps.seconds["second"]
    waits = iter((0.05, 0.02, 0.0))
    assert best_s(lambda: time.sleep(next(waits)), 2) < 0.02  # the first run warms up
    slow, fast = interleaved_ms([lambda: time.sleep(0.03), lambda: None], 3)
    assert slow >= 30 > fast
