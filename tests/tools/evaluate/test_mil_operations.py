"""Our MIL operations against coremltools' value inference and ONNX Runtime, and that a wrong one is seen."""

import pytest
import torch

from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.tools.evaluate.mil_cases import ELEMENTS, GROUPS, Case
from portraiture.tools.evaluate.mil_operations import AGREES, Agreement, agreement, coremltools_values, table

CASES = {case.kind: case for cases in GROUPS.values() for case in cases}


@pytest.fixture(scope="module")
def found() -> dict[str, Agreement]:
    """All cases; coremltools is imported once."""
    return {kind: agreement(case) for kind, case in CASES.items()}


@pytest.mark.slow
def test_every_operation_agrees_with_whoever_has_it(found: dict[str, Agreement]) -> None:
    off = [a for a in found.values() if any(d is not None and d > AGREES for d in (a.coremltools, a.onnxruntime))]
    assert off == []
    alone = {kind for kind, a in found.items() if a.coremltools is None and a.onnxruntime is None}
    assert alone == ALONE
    assert [case.kind for case in ELEMENTS if found[case.kind].coremltools is None] == []


ALONE = {"silu", "pixel_unshuffle"}
"""Operations of which neither of the two has a value."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("floor_div", lambda x, y: torch.trunc(x / y)),
        ("conv", lambda **a: torch.nn.functional.conv2d(a["x"], a["weight"], a["bias"], (2, 1), 1, (1, 2), 2)),
        ("gelu", lambda x, mode: torch.nn.functional.gelu(x, approximate="tanh")),
        ("upsample_bilinear", lambda x, **_: torch.nn.functional.interpolate(x, scale_factor=2, mode="nearest")),
        ("tile", lambda x, reps: x),
    ],
)
def test_a_wrong_operation_is_in_the_table(monkeypatch: pytest.MonkeyPatch, kind: str, wrong: object) -> None:
    monkeypatch.setitem(OPERATIONS, kind, wrong)  # type: ignore[arg-type]
    ((*_, named),) = table({"one": [agreement(CASES[kind])]})
    assert named == f"`{kind}`"


@pytest.mark.slow
def test_what_coremltools_does_not_infer_is_not_counted() -> None:
    assert coremltools_values(CASES["conv"]) is None
    rows = table({"one": [Agreement("conv", None, 2e-7)]})
    assert rows == [["one", "1", "none to compare", "1 of 1 agree, to 2e-07", "none"]]


def test_each_operation_has_one_case() -> None:
    every = [case.kind for cases in GROUPS.values() for case in cases]
    assert len(every) == len(set(every))
    assert set(every) <= set(OPERATIONS)
    assert all(isinstance(case, Case) for case in CASES.values())
