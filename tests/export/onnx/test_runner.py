"""The ONNX runner: a file that loads and fails where it runs is told in one line."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from portraiture.export.contract import Size
from portraiture.export.onnx.runner import OnnxRunner
from portraiture.reference.errors import InputError


def write_failing(path: Path) -> None:
    """A file of the coarse model's form whose gather reaches beyond its data, which shows only when it runs."""
    shape = (1, 1, 64, 64)
    nodes = [
        helper.make_node("ReduceMax", ["rgb"], ["most"], keepdims=0),
        helper.make_node("Add", ["most", "far"], ["place"]),
        helper.make_node("Cast", ["place"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["rgb", "index"], ["taken"], axis=1),
        helper.make_node("Reshape", ["taken", "shape"], ["mask"]),
        helper.make_node("Identity", ["mask"], ["depth"]),
    ]
    graph = helper.make_graph(
        nodes,
        "failing",
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, (1, 3, 64, 64))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("mask", "depth")],
        [
            helper.make_tensor("far", TensorProto.FLOAT, (), [99.0]),
            helper.make_tensor("shape", TensorProto.INT64, (4,), shape),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def test_a_file_that_fails_where_it_runs_is_told(tmp_path: Path) -> None:
    path = tmp_path / "coarse.onnx"
    write_failing(path)
    runner = OnnxRunner(path, "coarse", Size(64, 64))
    with pytest.raises(InputError, match=r"coarse\.onnx: expected an ONNX model that runs .*export it again") as error:
        runner.run({"rgb": np.zeros((64, 64, 3), np.float32)})
    assert "\n" not in str(error.value)
