"""What XNNPACK, the CPU delegate of TFLite, leaves to plain kernels."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portraiture.export.model_file import Operation
from portraiture.export.quiet import quiet
from portraiture.export.tflite.graph import subgraph_of
from portraiture.export.tflite.model import pack_model, read_model


@contextlib.contextmanager
def _of_its_own(path: Path, entry: str) -> Iterator[Path]:
    """A model of a file as the only one of a file: the interpreter's list of operations is the first subgraph's."""
    if not entry:
        yield path
        return
    model = read_model(path)
    chosen = subgraph_of(model, entry)
    model.signatureDefs = [d for d in model.signatureDefs if d.subgraphIndex == chosen]
    model.subgraphs = [model.subgraphs[chosen]]
    model.signatureDefs[0].subgraphIndex = 0
    with tempfile.TemporaryDirectory(prefix="portraiture.") as folder:
        alone = Path(folder) / "model.tflite"
        alone.write_bytes(pack_model(model))
        yield alone


def undelegated(path: Path, entry: str = "") -> list[Operation]:
    """Operations of a model that TFLite's CPU delegate, XNNPACK, leaves to plain kernels.

    Each of them cuts the graph: the delegate writes its results to memory and starts anew after it. The other delegates
    of phones take hardly more operations. The interpreter lists a delegated part as one more operation and keeps the
    originals in the list, so that the operations which run are found from the outputs back to the inputs.
    """
    from ai_edge_litert.interpreter import Interpreter

    with _of_its_own(path, entry) as alone, quiet():
        interpreter = Interpreter(str(alone))
        interpreter.allocate_tensors()
    listed = sorted(interpreter._get_ops_details(), key=lambda o: o["op_name"] == "DELEGATE")
    maker = {int(t): o for o in listed for t in o["outputs"]}
    names = {t["index"]: t["name"] for t in interpreter.get_tensor_details()}
    wanted, run = [int(t["index"]) for t in interpreter.get_output_details()], dict[int, Operation]()
    while wanted:
        operation = maker.get(wanted.pop())
        if operation is not None and operation["index"] not in run:
            run[operation["index"]] = Operation(operation["op_name"], names[int(operation["outputs"][0])])
            wanted += [int(t) for t in operation["inputs"]]
    return [run[k] for k in sorted(run) if run[k].kind != "DELEGATE"]
