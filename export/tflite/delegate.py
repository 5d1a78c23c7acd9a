"""What XNNPACK, the CPU delegate of TFLite, leaves to plain kernels."""

from pathlib import Path

from portraiture.export.model_file import Operation
from portraiture.export.quiet import quiet


def undelegated(path: Path) -> list[Operation]:
    """Operations of a file's first subgraph that TFLite's CPU delegate, XNNPACK, leaves to plain kernels.

    Each of them cuts the graph: the delegate writes its results to memory and starts anew after it. The other delegates
    of phones take hardly more operations. The interpreter lists a delegated part as one more operation and keeps the
    originals in the list, so that the operations which run are found from the outputs back to the inputs.
    """
    from ai_edge_litert.interpreter import Interpreter

    with quiet():
        interpreter = Interpreter(str(path))
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
