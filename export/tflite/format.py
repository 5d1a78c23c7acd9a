"""TFLite as an entry of the table of formats."""

from portraiture.export.model_file import Format, fp16_or_int8
from portraiture.export.tflite.delegate import undelegated
from portraiture.export.tflite.graph import graph
from portraiture.export.tflite.merge import merge_tflite
from portraiture.export.tflite.metadata import read_metadata, write_metadata
from portraiture.export.tflite.needs import needs
from portraiture.export.tflite.parts import constants, operations, refused, values
from portraiture.export.tflite.planned import stored_bytes
from portraiture.export.tflite.runner import open_model
from portraiture.export.tflite.weights import weights
from portraiture.export.tflite.write import write

FORMAT = Format(
    write=write,
    operations=operations,
    constants=constants,
    weights=weights,
    values=values,
    graph=graph,
    open=open_model,
    describe=write_metadata,
    described=read_metadata,
    needs=needs,
    stored=fp16_or_int8,
    stored_bytes=stored_bytes,
    merge=merge_tflite,
    refused=refused,
    undelegated=undelegated,
    joins=True,
    by_tensorflow=True,
    slowness=2.0,
)
