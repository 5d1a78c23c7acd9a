"""Core ML as an entry of the table of formats."""

from portraiture.export.coreml.compress import stored, stored_bytes
from portraiture.export.coreml.graph import graph
from portraiture.export.coreml.merge import merge_coreml
from portraiture.export.coreml.needs import needs
from portraiture.export.coreml.parts import constants, operations, refused, unproven, values
from portraiture.export.coreml.runner import engine_note, not_run_here, open_model
from portraiture.export.coreml.settle import read_contract, settle
from portraiture.export.coreml.weights import weights
from portraiture.export.coreml.write import write
from portraiture.export.formats import Target
from portraiture.export.model_file import Format

FORMAT = Format(
    write=write,
    operations=operations,
    constants=constants,
    weights=weights,
    values=values,
    graph=graph,
    open=open_model,
    describe=settle,
    described=read_contract,
    needs=needs,
    stored=stored,
    stored_bytes=stored_bytes,
    merge=merge_coreml,
    refused=refused,
    unproven=unproven,
    engine_note=engine_note,
    not_run_here=not_run_here,
    second=Target.COREAI,
)
