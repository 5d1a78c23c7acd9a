"""The second route to TFLite: torch -> ONNX opset 11 -> onnx-tf -> TensorFlow -> TFLite.

onnx-tf is archived and knows neither newer opsets nor amounts that are computed in the graph; so the graph is folded
first, until only constants and layers are left. What it gives is run and compared before it is kept, with PyTorch
float64 and with the default route's file.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from portraiture.export.contract import Size
from portraiture.export.networks.exported import Exported, example_inputs
from portraiture.export.onnx.write import trace_onnx
from portraiture.export.onnx_tf.compare import compare_routes
from portraiture.export.onnx_tf.environment import clean_environment, make_environment
from portraiture.export.pipeline.truth import Truth
from portraiture.export.tflite.model import pack_model, read_model
from portraiture.export.tflite.write import write_tflite
from portraiture.reference.errors import ExportError, GateError

OPSET = 11

MAX_IR = 9

_WORKER = Path(__file__).with_name("worker.py")

_REFUSED = 3


def write_opset11(network: Exported, size: Size, path: Path) -> None:
    """The ONNX file that onnx-tf reads: all that does not depend on the inputs is computed.

    Args:
        network: built for layout NHWC.
        size: fixed input size.
        path: file to write.

    Raises:
        ExportError: the file is of a version that onnx-tf cannot read.
    """
    import onnx
    import onnxruntime

    trace_onnx(network, example_inputs(network.contract.name, "NHWC", size), path, OPSET)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    model = onnx.load(str(path))
    # onnxruntime names its own domains as well, and onnx-tf knows none of them
    used = {node.domain for node in model.graph.node}
    opsets = [o for o in model.opset_import if o.domain in used]
    found = {o.domain: o.version for o in opsets}
    if found != {"": OPSET} or model.ir_version > MAX_IR:
        raise ExportError(f"{network.contract.name}: expected ONNX opset {OPSET}, IR <= {MAX_IR} for onnx-tf,"
                          f" found {found}, IR {model.ir_version}; use --route litert")  # fmt: skip
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    onnx.save(model, str(path))


def call_worker(python: Path, name: str, source: Path, path: Path) -> None:
    """Convert in onnx-tf's environment.

    Args:
        python: of that environment.
        name: of the model, for messages.
        source: ONNX file, opset 11.
        path: file to write.

    Raises:
        GateError: an operation of the model cannot be converted; it is named.
        ExportError: the conversion ended otherwise.
    """
    # -I: this folder has an onnx.py, which is not the package
    command: list[str | Path] = [python, "-I", _WORKER, source, path, source.with_suffix(".saved")]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    if done.returncode == _REFUSED:
        said = json.loads(done.stdout.splitlines()[-1])
        raise GateError(f"{name}: onnx-tf cannot convert {said['op']} at {said['node']} ({said['reason']});"
                        " use --route litert, or choose other models with --model")  # fmt: skip
    if done.returncode or not path.is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise ExportError(f"{name}: expected onnx-tf to write a .tflite, found: {reason}; use --route litert")


def name_signature(path: Path, name: str) -> None:
    """Rename the one signature after the model, in place; its inputs and outputs have the contract's names already."""
    model = read_model(path)
    (signature,) = model.signatureDefs
    signature.signatureKey = name.encode()
    path.write_bytes(pack_model(model))


def write_onnx_tf(name: str, truth: Truth, size: Size, path: Path, report: Callable[[str], None]) -> None:
    """Convert a model to a float32 ``.tflite`` by this route, and compare it.

    Args:
        name: of the model.
        truth: of the weights that are exported.
        size: fixed input size.
        path: file to write; it is there only if it passed.
        report: called with a line of progress or of figures.

    Raises:
        InputError: the environment cannot be made.
        ExportError, GateError: the model cannot be converted, or not rightly.
    """
    python = make_environment(report)
    with tempfile.TemporaryDirectory(prefix=".onnx-tf.", dir=path.parent) as folder:
        source, converted = Path(folder) / f"{name}.onnx", Path(folder) / f"{name}.tflite"
        network = truth.networks.get(name, "NHWC")
        write_opset11(network, size, source)
        start = time.perf_counter()
        call_worker(python, name, source, converted)
        seconds = time.perf_counter() - start
        name_signature(converted, name)
        litert = write_tflite(network, size, Path(folder))
        found = compare_routes(converted, litert, name, size, truth)
        report(
            f"{name} {size}: onnx-tf against litert: max error {found.to_litert:.1e} (PyTorch float64:"
            f" {found.to_torch:.1e}), {found.ms:.1f} ms against {found.litert_ms:.1f} ms, converted in {seconds:.0f} s"
        )
        converted.replace(path)
