"""The search finds the smallest plan where every choice can be tried, and never one that does not hold."""

import itertools
from typing import Any, cast

import numpy as np
import pytest

from portraiture.export.formats import Target
from portraiture.export.plan import Kind
from portraiture.export.sensitivity.measure import Effect, Sensitivity
from portraiture.export.sensitivity.search import hull, search
from portraiture.reference.errors import OptionError

KINDS = (Kind.FP16, Kind.INT8, Kind.PALETTE6, Kind.PALETTE4)
BYTES = {Kind.FP16: 2.0, Kind.INT8: 1.0, Kind.PALETTE6: 0.75, Kind.PALETTE4: 0.5}


class Known:
    """Layers whose errors are drawn at random and add up, with a share more where two are coarse together."""

    targets = (Target.COREML,)
    outputs = ("mask", "depth")

    def __init__(self, seed: int, together: float) -> None:
        rng = np.random.default_rng(seed)
        self.layers = {f"layer{k}": None for k in range(6)}
        self.sizes = dict(zip(self.layers, rng.integers(100, 5000, 6), strict=True))
        noise = {Kind.FP16: 1e-9, Kind.INT8: 1e-6, Kind.PALETTE6: 6e-6, Kind.PALETTE4: 1e-4}
        self.mse = {
            (n, k): noise[k] * 10 ** (rng.uniform(-1, 1) + rng.uniform(-0.3, 0.3, (2, 2)))  # photos agree by and large
            for n in self.layers
            for k in KINDS
        }
        self.together = together
        self.runs = 0

    def carried(self, _layer: str, kind: Kind, _target: Target) -> Kind:
        return kind

    def bytes_of(self, layer: str, kind: Kind, _target: Target) -> int:
        return int(self.sizes[layer] * BYTES[kind])

    def whole(self, kinds: dict[str, Kind], _target: Target) -> np.ndarray:
        self.runs += 1
        coarse = sum(kind is Kind.PALETTE4 for kind in kinds.values())
        errors = sum(self.mse[item] for item in kinds.items())
        return np.asarray(errors * (1 + self.together * max(0, coarse - 1)))

    def effects(self) -> dict[tuple[str, Kind], Effect]:
        return {(n, k): Effect(n, k, mse) for (n, k), mse in self.mse.items()}

    def total(self, kinds: Any) -> int:
        return sum(self.bytes_of(n, k, Target.COREML) for n, k in kinds.items())


def found_by(known: Known, budget_db: float) -> Any:
    report: list[tuple[str, int, int]] = []
    given = cast(Sensitivity, known)
    found = search(given, known.effects(), budget_db, KINDS[1:], lambda *step: report.append(step))
    assert all(done <= total for _, done, total in report)
    return found


@pytest.mark.parametrize("together", [0.0, 0.5])
@pytest.mark.parametrize("budget_db", [42.0, 50.0, 58.0])
@pytest.mark.parametrize("seed", range(2))
def test_a_plan_holds_and_is_nearly_the_smallest_of_all(seed: int, budget_db: float, together: float) -> None:
    known = Known(seed, together)
    found = found_by(known, budget_db)
    allowed = 10 ** (-budget_db / 10)
    assert known.whole(found.kinds, Target.COREML).max() <= allowed
    plans = (dict(zip(known.layers, kinds, strict=True)) for kinds in itertools.product(KINDS, repeat=6))
    best = min(known.total(plan) for plan in plans if known.whole(plan, Target.COREML).max() <= allowed)
    assert best <= known.total(found.kinds) <= 1.15 * best
    assert found.bytes == {Target.COREML: known.total(found.kinds)}
    assert min(found.worst_db[Target.COREML].values()) >= budget_db


def test_errors_that_do_not_add_up_are_measured_and_backed_off() -> None:
    known = Known(0, together=50.0)  # one coarse layer is well, two are not
    found = found_by(known, 42.0)
    assert sum(kind is Kind.PALETTE4 for kind in found.kinds.values()) <= 1
    assert known.whole(found.kinds, Target.COREML).max() <= 10**-4.2


def test_steps_after_the_first_that_does_not_hold_are_tried() -> None:
    known = Known(3, 0.0)
    (first, *others) = known.layers
    known.mse |= {
        (first, kind): np.full((2, 2), 1e-12) for kind in KINDS
    }  # alone it moves nothing: its steps come first
    plain = known.whole

    def whole(kinds: dict[str, Kind], target: Target) -> np.ndarray:
        return plain(kinds, target) + (kinds[first] is not Kind.FP16)  # with others it ruins everything

    known.whole = whole  # type: ignore[method-assign]
    found = found_by(known, 42.0)
    assert found.kinds[first] is Kind.FP16
    assert all(found.kinds[layer] is not Kind.FP16 for layer in others)


def test_a_budget_that_fp16_does_not_hold_is_refused() -> None:
    with pytest.raises(OptionError, match=r"--budget 90dB: expected what fp16 weights hold, found \d+\.\d dB of"):
        found_by(Known(0, 0.0), 90.0)


def test_a_loose_budget_takes_every_step() -> None:
    assert set(found_by(Known(1, 0.0), 5.0).kinds.values()) == {Kind.PALETTE4}


def test_a_kind_that_another_one_beats_is_left_out() -> None:
    beaten = hull([(200, 0.0, Kind.FP16), (100, 5.0, Kind.INT8), (75, 4.0, Kind.PALETTE6), (50, 9.0, Kind.PALETTE4)])
    assert [kind for _, _, kind in beaten] == [Kind.FP16, Kind.PALETTE6, Kind.PALETTE4]
    larger = hull([(10, 0.0, Kind.FP16), (12, 0.0, Kind.INT8)])
    assert [kind for _, _, kind in larger] == [Kind.FP16]
