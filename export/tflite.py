"""PyTorch -> TFLite by litert-torch; fp16 by the AI Edge quantizer.

The layout partitioner must be GREEDY: the default one wrote wrong files for several scan forms. Each file is run once
after it was written and compared with torch, so that a converter that lies is met here and not on a phone.
"""

import collections
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from portraiture.export.contract import LAYOUT, Precision, Size, Target
from portraiture.export.networks import Exported, example_inputs
from portraiture.export.quiet import quiet


def write_tflite(network: Exported, size: Size, path: Path) -> None:
    """Convert to a float32 ``.tflite`` with one signature named after the model.

    Args:
        network: built for layout NHWC.
        size: fixed input size.
        path: file to write.
    """
    os.environ["LAYOUT_OPTIMIZE_PARTITIONER"] = "GREEDY"
    inputs = example_inputs(network.contract.name, Target.TFLITE, size)
    assert network.layout == LAYOUT[Target.TFLITE]
    with quiet():
        import litert_torch

        with torch.no_grad():
            edge = litert_torch.signature(network.contract.name, network, tuple(inputs.values())).convert()
        edge.export(str(path))
    name_inputs(path, list(inputs))


def name_inputs(path: Path, names: list[str]) -> None:
    """Rename the signature's inputs (``args_0`` ...) to the contract's names, in place."""
    model = read_model(path)
    (signature,) = model.signatureDefs
    # the order of the function's arguments is in the generated names args_0, args_1, ...
    order = {f"args_{i}": name for i, name in enumerate(names)}
    for entry in signature.inputs:
        entry.name = order[entry.name.decode()].encode()
    path.write_bytes(pack_model(model))


def read_model(path: Path) -> Any:
    """A file as the flatbuffer schema's objects (``schema.ModelT``), constants that lie behind it read in."""
    from ai_edge_litert import schema_py_generated as schema

    data = path.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    for buffer in model.buffers:
        if buffer.offset > 1:  # the quantizer writes constants after the flatbuffer
            buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def pack_model(model: Any) -> bytes:
    """The bytes of a file."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def quantize_fp16(source: Path, path: Path) -> None:
    """Store the convolutions' weights as fp16; arithmetic stays float."""
    with quiet():
        from ai_edge_quantizer import qtyping, quantizer

        q = quantizer.Quantizer(str(source))
        config = qtyping.OpQuantizationConfig(
            weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        )
        for op in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            q.update_quantization_recipe(
                regex=".*",
                operation_name=getattr(qtyping.TFLOperationName, op),
                op_config=config,
                algorithm_key="float_casting",
            )
        path.write_bytes(bytes(q.quantize().quantized_model))


def tflite_op_counts(path: Path) -> dict[str, int]:
    """Operations of a file by name, read from the flatbuffer."""
    from ai_edge_litert import schema_py_generated as schema

    model = read_model(path)
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
    counts = collections.Counter(names[codes[o.opcodeIndex]] for g in model.subgraphs for o in g.operators or [])
    return dict(sorted(counts.items()))


SOURCES = {Precision.FP32: None, Precision.FP16: quantize_fp16}
"""How each precision is made from the float32 file; None: it is the file itself."""
