"""The route through onnx-tf: what it is given, what it refuses by name, and what it gives where its environment is."""

import os
import re
import stat
from pathlib import Path

import numpy as np
import pytest
import torch

from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Route, Target
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.onnx_tf import environment as onnx_tf_env
from portraiture.export.onnx_tf.compare import compare_routes
from portraiture.export.onnx_tf.environment import PINS, environment_folder, interpreter_of, make_environment
from portraiture.export.onnx_tf.write import MAX_IR, OPSET, call_worker, write_opset11
from portraiture.export.parity.links import file_rows
from portraiture.export.parity.rows import Status
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import from_layout, to_layout
from portraiture.export.tflite.write import write_tflite
from portraiture.export.tolerances import file_tolerance
from portraiture.export.writing.models import write_models
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import ExportError, GateError, InputError, OptionError

SIZE = Size(64, 96)
FOLDED = {"Shape", "ConstantOfShape", "Gather", "Cast", "Range", "Expand", "Loop", "Scan", "If", "Identity"}
"""What tracing leaves and onnx-tf breaks on."""

needs_environment = pytest.mark.skipif(
    not interpreter_of(environment_folder()).is_file(),
    reason="needs the environment of onnx-tf (1.3 GB); portraiture export --route onnx-tf makes it",
)


def fake_python(path: Path, *lines: str) -> Path:
    """A program that stands in for another environment's Python."""
    path.write_text("\n".join(("#!/bin/sh", *lines)) + "\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["perception", "filter"])
def test_what_onnx_tf_is_given_is_folded_old_enough_and_right(name: str, astronaut: np.ndarray, tmp_path: Path) -> None:
    import onnx
    import onnxruntime

    path = tmp_path / "model.onnx"
    network = Networks().get(name, "NHWC")
    write_opset11(network, SIZE, path)
    model = onnx.load(str(path))
    onnx.checker.check_model(model)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)]
    assert model.ir_version <= MAX_IR
    assert not FOLDED & {n.op_type for n in model.graph.node}
    truth = Truth(Networks())
    feeds = truth.feeds(name, SIZE, astronaut)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = {s.name: to_layout(s, feeds[s.name], SIZE, "NHWC") for s in network.contract.inputs}
    expected = truth.outputs(name, SIZE, feeds)
    for spec, value in zip(network.contract.outputs, session.run(None, inputs), strict=True):
        tolerance = file_tolerance(name, Target.TFLITE, Precision.FP32, spec.name)
        assert tolerance.passes(compare(from_layout(spec, value, "NHWC"), expected[spec.name]))


def test_a_refused_operation_is_named_with_its_node(tmp_path: Path) -> None:
    said = '{"op": "Loop", "node": "/filter/Loop_1", "reason": "no handler"}'
    python = fake_python(tmp_path / "python", "echo chatter", f"echo '{said}'", "exit 3")
    with pytest.raises(
        GateError, match=r"filter: onnx-tf cannot convert Loop at /filter/Loop_1 \(no handler\);.*litert"
    ):
        call_worker(python, "filter", tmp_path / "a.onnx", tmp_path / "a.tflite")


@pytest.mark.parametrize(("lines", "found"), [
    (("echo 'MemoryError: none left' >&2", "exit 1"), "MemoryError: none left"),
    (("exit 0",), "exit code 0"),
])  # fmt: skip
def test_a_conversion_that_writes_nothing_is_one_line(tmp_path: Path, lines: tuple[str, ...], found: str) -> None:
    python = fake_python(tmp_path / "python", *lines)
    with pytest.raises(ExportError, match=f"filter: expected onnx-tf to write a .tflite, found: {found}; use --route"):
        call_worker(python, "filter", tmp_path / "a.onnx", tmp_path / "a.tflite")


@pytest.mark.parametrize(("spec", "message"), [
    ({"targets": (Target.COREML,)}, "--route onnx-tf: expected --target tflite with it, found coreml"),
    ({"precisions": (Precision.INT8,)}, "--route onnx-tf: expected --precision fp32 or fp16"),
])  # fmt: skip
def test_what_the_route_does_not_write_is_refused_first(spec: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        BundleSpec(route=Route.ONNX_TF, **spec)  # type: ignore[arg-type]


@pytest.mark.slow
def test_an_environment_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pins = tmp_path / "pins.txt"
    pins.write_text("portraiture-no-such-package==1.0\n")
    monkeypatch.setattr(onnx_tf_env, "PINS", pins)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said: list[str] = []
    with pytest.raises(
        InputError, match=r"expected pip to install pins.txt, found: .*no-such-package.*; check the network"
    ):
        make_environment(said.append)
    assert len(said) == 1
    assert [p.name for p in tmp_path.rglob("*") if p.name != "pins.txt"] == ["portraiture"]


@pytest.mark.slow
def test_an_environment_is_made_once_and_named_after_its_pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pins = tmp_path / "pins.txt"
    pins.write_text("# nothing to install\n")
    monkeypatch.setattr(onnx_tf_env, "PINS", pins)
    said: list[str] = []
    python = make_environment(said.append)
    assert python == interpreter_of(environment_folder())
    assert os.access(python, os.X_OK)
    assert make_environment(said.append) == python
    assert len(said) == 1
    pins.write_text("# other pins\n")
    assert environment_folder() != python.parents[1]


def test_every_pin_is_exact() -> None:
    lines = [line for line in PINS.read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) > 20
    assert all(len(line.split("==")) == 2 for line in lines)
    assert {"onnx-tf==1.10.0", "onnx==1.14.1"} <= set(lines)


@needs_environment
@pytest.mark.parametrize("name", ["coarse", "filter"])
def test_a_file_of_this_route_is_the_contracts(name: str, astronaut: np.ndarray, tmp_path: Path) -> None:
    said: list[str] = []
    spec = BundleSpec((name,), (Target.TFLITE,), (Precision.FP32, Precision.FP16), (SIZE,), route=Route.ONNX_TF)
    entries = write_models(spec, tmp_path, Truth(Networks()), lambda line, *_: said.append(line)).entries
    assert [e["route"] for e in entries] == ["onnx-tf", "onnx-tf"]
    assert any("onnx-tf against litert: max error" in line for line in said)
    for file in spec.files():
        for row in file_rows(tmp_path, file, Truth(Networks()), [astronaut]):
            assert row.status is Status.PASSED, row


@needs_environment
@pytest.mark.parametrize(("op", "attributes", "shape", "message"), [
    ("Pad", {"mode": "reflect"}, [2, 2], "cannot convert Pad at /network/odd (amounts that are not known, or a mode"),
    ("Det", {}, [], "cannot convert MatrixDeterminant at TensorFlow's graph (no TFLite builtin)"),
])  # fmt: skip
def test_a_real_refusal_names_the_operation(
    tmp_path: Path, op: str, attributes: dict[str, str], shape: list[int], message: str
) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    amounts = numpy_helper.from_array(np.zeros(4, np.int64), "amounts")
    node = helper.make_node(op, ["x", "amounts"] if op == "Pad" else ["x"], ["y"], name="/network/odd", **attributes)
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [2, 2]), ("y", shape)))
    graph = helper.make_graph([node], "g", [x], [y], [amounts] if op == "Pad" else [])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", OPSET)])
    onnx.save(model, str(tmp_path / "odd.onnx"))
    with pytest.raises(GateError, match=re.escape(message)):
        call_worker(interpreter_of(environment_folder()), "odd", tmp_path / "odd.onnx", tmp_path / "odd.tflite")


@pytest.mark.slow
def test_a_file_that_differs_is_refused(tmp_path: Path, quick: Checkpoints) -> None:
    network = Networks(quick).get("perception", "NHWC")
    litert = write_tflite(network, SIZE, tmp_path)
    with torch.no_grad():
        next(p for p in network.parameters() if p.ndim == 4).mul_(1.01)
    (tmp_path / "other").mkdir()
    other = write_tflite(network, SIZE, tmp_path / "other")
    with pytest.raises(
        GateError, match=r"perception 64x96: onnx-tf against PyTorch float64: expected max error <= 0.0001"
    ):
        compare_routes(other, litert, "perception", SIZE, Truth(Networks(quick)))
