"""Core AI as an entry of the table of formats."""

from portraiture.export.coreai.asset import describe, needs, read_contract
from portraiture.export.coreai.graph import graph
from portraiture.export.coreai.packages import absent
from portraiture.export.coreai.parts import constants, operations, values, weights
from portraiture.export.coreai.runner import engine_note, not_run_here, open_model
from portraiture.export.coreai.write import write
from portraiture.export.model_file import Format

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
    is_capped=False,
    engine_note=engine_note,
    not_run_here=not_run_here,
    absent=absent,
    tools=("coreai-core", "coreai-torch", "coreai-opt"),
)
