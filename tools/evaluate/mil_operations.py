"""Print how far our MIL interpreter's operations are from coremltools' value inference and from ONNX Runtime.

``python -m portraiture.tools.evaluate.mil_operations``. coremltools computes what does not depend on a model's inputs
while it converts; ONNX Runtime is a third implementation. All three run the same operation on the same float32 inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.export.onnx.write import OPSET
from portraiture.export.quiet import quiet
from portraiture.tools.evaluate.mil_cases import GROUPS, Arrays, Case
from portraiture.tools.evaluate.table import markdown_table

AGREES = 1e-5
"""Largest difference, as a share of the largest value, of two implementations that agree: they sum in other orders."""


@dataclass(frozen=True)
class Agreement:
    """How far an operation is from other implementations.

    Attributes:
        kind: MIL's type.
        coremltools, onnxruntime: the largest difference as a share of the largest value; infinite where shapes differ,
            None where the other one has no such operation.
    """

    kind: str
    coremltools: float | None
    onnxruntime: float | None


def ours(case: Case) -> Arrays:
    """What our interpreter computes, in float32."""

    def tensor(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return torch.from_numpy(np.ascontiguousarray(value))
        if isinstance(value, list) and all(isinstance(v, np.ndarray) for v in value):
            return [tensor(v) for v in value]
        return tuple(value) if isinstance(value, list) else value

    found = OPERATIONS[case.kind](**{name: tensor(value) for name, value in case.arguments.items()})
    return tuple(t.numpy() for t in (found if isinstance(found, tuple | list) else (found,)))


def coremltools_values(case: Case) -> Arrays | None:
    """What coremltools infers; None where it infers nothing of such an operation."""
    with quiet():
        import coremltools as ct
        from coremltools.converters.mil import Builder as mb
        from coremltools.converters.mil.mil import Function

        with Function({}, opset_version=ct.target.iOS17):
            found = getattr(mb, case.kind)(**case.arguments)
    outputs = found if isinstance(found, tuple | list) else (found,)
    values = tuple(output.val for output in outputs)
    return None if any(v is None for v in values) else tuple(np.asarray(v) for v in values)


def onnxruntime_values(case: Case) -> Arrays | None:
    """What ONNX Runtime computes; None where ONNX has no such operation."""
    if not case.onnx:
        return None
    import onnxruntime
    from onnx import ValueInfoProto, helper, numpy_helper

    arrays: list[np.ndarray] = []
    for name in case.inputs:
        value = case.arguments[name]
        arrays += value if isinstance(value, list) else [value]
    feeds = {f"i{k}": np.asarray(a) for k, a in enumerate([*arrays, *case.further])}
    count = len(ours(case))
    outputs = [f"o{k}" for k in range(count)]
    node = helper.make_node(case.onnx, list(feeds), outputs, **dict(case.attributes))
    held = [numpy_helper.from_array(a, name) for name, a in feeds.items()]
    graph = helper.make_graph([node], "case", [], [ValueInfoProto(name=name) for name in outputs], held)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", OPSET)])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return tuple(session.run(None, {}))


def difference(found: Arrays, expected: Arrays | None) -> float | None:
    """The largest difference of two results as a share of the largest expected value; infinite for other shapes."""
    if expected is None:
        return None
    if [a.shape for a in found] != [a.shape for a in expected]:
        return float("inf")
    worst = 0.0
    for a, b in zip(found, expected, strict=True):
        distance = np.abs(a.astype(np.float64) - b.astype(np.float64)).max()
        worst = max(worst, float(distance / max(np.abs(b.astype(np.float64)).max(), 1e-30)))
    return worst if np.isfinite(worst) else float("inf")


def agreement(case: Case) -> Agreement:
    """One operation by all three."""
    found = ours(case)
    return Agreement(
        case.kind, difference(found, coremltools_values(case)), difference(found, onnxruntime_values(case))
    )


def _cell(found: Sequence[float | None]) -> str:
    """How many were compared, and the worst of them that agrees."""
    compared = [d for d in found if d is not None]
    if not compared:
        return "none to compare"
    agree = [d for d in compared if d <= AGREES]
    worst = f"{max(agree):.0e}" if agree and max(agree) > 0 else "0"
    return f"{len(agree)} of {len(compared)} agree, to {worst}"


def table(groups: dict[str, list[Agreement]]) -> list[list[str]]:
    """Per group how many agree with each, and which do not.

    >>> table({"moves": [Agreement("pad", 0.0, None), Agreement("tile", 2e-7, 0.5)]})
    [['moves', '2', '2 of 2 agree, to 2e-07', '0 of 1 agree, to 0', '`tile`']]
    """
    rows = []
    for name, found in groups.items():
        off = [a.kind for a in found if any(d is not None and d > AGREES for d in (a.coremltools, a.onnxruntime))]
        cells = (_cell([a.coremltools for a in found]), _cell([a.onnxruntime for a in found]))
        rows.append([name, str(len(found)), *cells, ", ".join(f"`{kind}`" for kind in off) or "none"])
    return rows


def main() -> None:
    """Print the table, and every operation below it."""
    groups = {name: [agreement(case) for case in cases] for name, cases in GROUPS.items()}
    print(markdown_table(["operations", "number", "coremltools", "ONNX Runtime", "do not agree"], table(groups)))
    print()
    for found in (a for own in groups.values() for a in own):
        said = ("-" if d is None else f"{d:.1e}" for d in (found.coremltools, found.onnxruntime))
        print(found.kind, *said)
    compared = {case.kind for cases in GROUPS.values() for case in cases}
    print("not compared:", *sorted(set(OPERATIONS) - compared))


if __name__ == "__main__":
    main()
