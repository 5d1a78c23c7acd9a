"""ONNX as an entry of the table of formats."""

from portraiture.export.model_file import Format, fp16_or_int8
from portraiture.export.onnx.compress import stored_bytes
from portraiture.export.onnx.graph import graph
from portraiture.export.onnx.needs import needs
from portraiture.export.onnx.parts import constants, operations, values
from portraiture.export.onnx.runner import open_model
from portraiture.export.onnx.weights import weights
from portraiture.export.onnx.write import describe, read_contract, write

FORMAT = Format(
    write=write,
    operations=operations,
    constants=constants,
    weights=weights,
    values=values,
    graph=graph,
    open=open_model,
    describe=describe,
    described=read_contract,
    needs=needs,
    stored=fp16_or_int8,
    stored_bytes=stored_bytes,
    is_capped=False,
    tools=("onnx", "onnxruntime"),
)
