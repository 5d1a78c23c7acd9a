"""What a written file is made of, and what of it a phone's delegate takes."""

from dataclasses import dataclass
from pathlib import Path

from portraiture.export.contract import Target
from portraiture.export.quiet import quiet
from portraiture.export.tflite import operations_of, read_model


@dataclass(frozen=True)
class Operation:
    """One operation of a file: its type and the name of its first output, which tells the layer."""

    kind: str
    output: str


def operations(path: Path, target: Target) -> list[Operation]:
    """The operations of a written file, in order."""
    if target is Target.TFLITE:
        return [
            Operation(name, graph.tensors[int(operation.outputs[0])].name.decode())
            for name, operation, graph in operations_of(read_model(path))
        ]
    if target is Target.ONNX:
        import onnx

        return [Operation(n.op_type, n.output[0]) for n in onnx.load(str(path), load_external_data=False).graph.node]
    from portraiture.export.mil.package import read_package

    # not by the interpreter, which knows fewer operations than coremltools writes
    found = [o for o in read_package(path).block.operations if o.type != "const" and not o.type.startswith("constexpr")]
    return [Operation(o.type, o.outputs[0].name) for o in found]


def undelegated(path: Path) -> list[Operation]:
    """Operations of a TFLite file that its CPU delegate, XNNPACK, leaves to plain kernels; of the first subgraph.

    Each of them cuts the graph: what stands before it is written to memory, and the delegate starts anew. Phones' other
    delegates take hardly more. The interpreter lists a delegated part as one more operation and keeps the originals;
    what is run is found from the outputs back to the inputs.
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
