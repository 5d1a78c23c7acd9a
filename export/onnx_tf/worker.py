"""ONNX -> onnx-tf -> TensorFlow -> TFLite. Runs inside onnx-tf's own environment and imports nothing of ours.

    python -I onnx_tf_worker.py model.onnx model.tflite folder

``folder`` takes the SavedModel on the way. Where an operation cannot be converted the last line of standard output is
a JSON object with ``op``, ``node`` and ``reason``, and the exit code is 3.
"""

import json
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import onnx
import tensorflow as tf
from onnx_tf.backend import TensorflowBackend, prepare
from onnx_tf.handlers.backend.clip import Clip
from onnx_tf.handlers.backend.pad import Pad

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

warnings.simplefilter("ignore")


REFUSED: list[dict[str, str]] = []
"""What could not be converted, the cause first: TensorFlow raises errors again in types of its own."""


class Unconvertible(Exception):
    """An operation that the route cannot carry.

    Args:
        op: its type.
        node: its name in the ONNX file.
        reason: why.
    """

    def __init__(self, op: str, node: str, reason: str) -> None:
        super().__init__(f"{op} at {node}: {reason}")
        REFUSED.append({"op": op, "node": node, "reason": reason})


def constant_pad(_: type, /, node: Any, **kwargs: Any) -> list[Any]:
    """Pad by amounts that are known and not negative.

    onnx-tf's own form traces a slice for negative amounts as well, with a begin before the tensor: TensorFlow refuses
    it wherever two or more lines are padded in front.
    """
    known = kwargs["tensor_dict"]
    amounts = tf.get_static_value(known[node.inputs[1]])
    if amounts is None or (amounts < 0).any() or node.attrs.get("mode", "constant") != "constant":
        raise Unconvertible("Pad", node.name, "amounts that are not known, or a mode other than constant")
    before, after = amounts.reshape(2, -1).tolist()
    value = known[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else 0
    return [tf.pad(known[node.inputs[0]], list(zip(before, after, strict=True)), constant_values=value)]


def plain_clip(_: type, /, node: Any, **kwargs: Any) -> list[Any]:
    """Clip at the bounds that are given; onnx-tf clips at the largest float as well, which is an operation more."""
    known = kwargs["tensor_dict"]
    low, high = (known[name] if name else None for name in (*node.inputs[1:], "", "")[:2])
    value = known[node.inputs[0]]
    if low is not None and high is not None and (tf.get_static_value(low), tf.get_static_value(high)) == (0, 6):
        return [tf.nn.relu6(value)]
    value = value if low is None else tf.maximum(value, low)
    return [value if high is None else tf.minimum(value, high)]


def pad_inside(model: Any) -> None:
    """Let convolutions of step 1 that keep the size pad for themselves; onnx-tf pads in an operation of its own."""
    for node in (n for n in model.graph.node if n.op_type == "Conv"):
        ints = {a.name: list(a.ints) for a in node.attribute}
        kernel, ones = ints["kernel_shape"], [1] * len(ints["kernel_shape"])
        keeps = ints.get("pads") == 2 * [k // 2 for k in kernel] and all(k % 2 for k in kernel)
        if keeps and ints.get("strides", ones) == ints.get("dilations", ones) == ones:
            kept = [a for a in node.attribute if a.name not in ("pads", "auto_pad")]
            del node.attribute[:]
            node.attribute.extend([*kept, onnx.helper.make_attribute("auto_pad", "SAME_UPPER")])


def naming(handle: Any) -> Any:
    """onnx-tf's conversion of one node, with errors that name the node."""

    def named(cls: type, node: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return handle(node, *args, **kwargs)
        except Unconvertible:
            raise
        except Exception as error:  # handlers raise whatever TensorFlow raises
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise Unconvertible(node.op_type, node.name, lines[-1] if lines else type(error).__name__) from error

    return classmethod(tf.autograph.experimental.do_not_convert(named))


def convert(source: Path, target: Path, folder: Path) -> None:
    """Write a ``.tflite`` of TFLite's builtin operations alone.

    Args:
        source: ONNX file, opset 11.
        target: file to write.
        folder: TensorFlow's saved model on the way; it does not exist yet.

    Raises:
        Unconvertible: an operation cannot be carried.
    """
    Pad.version_11 = classmethod(constant_pad)
    Clip.version_11 = classmethod(plain_clip)
    TensorflowBackend._onnx_node_to_tensorflow_op = naming(TensorflowBackend._onnx_node_to_tensorflow_op)
    model = onnx.load(str(source))
    pad_inside(model)
    prepare(model).export_graph(str(folder))
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    try:
        target.write_bytes(converter.convert())
    except Exception as error:  # ConverterError is not public
        found = re.search(r"tf\.([A-Z]\w+)", str(error))
        if found is None:
            raise
        raise Unconvertible(found[1], "TensorFlow's graph", "no TFLite builtin") from error


def main() -> int:
    """Exit code 0, or 3 with a JSON line."""
    try:
        convert(*(Path(a) for a in sys.argv[1:4]))
    except Exception:
        if not REFUSED:
            raise
        print(json.dumps(REFUSED[0]))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
