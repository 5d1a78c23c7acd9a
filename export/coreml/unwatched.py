"""coremltools without what it does again and again in the middle of a conversion."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unwatched() -> Iterator[None]:
    """A block in which coremltools converts and compresses without four repetitions; the package is the same.

    It looks for errors of its own after each of some 150 passes. It writes programs and blocks out for its log, which
    is off. Whenever a pass leaves a block, it marks all that comes after compressed weights, where there mostly are
    none. And it makes the description of a type anew each time that it asks whether a value is a tensor, a million
    times in a conversion. The first three were half of a conversion. Whoever uses the block validates the program
    when it is whole, and the doctor runs the file.
    """
    from coremltools.converters.mil.mil import Block, Program
    from coremltools.converters.mil.mil.types import type_mapping

    validate, text, block_text = Program.validate, Program.__str__, Block.__str__
    mark = Block._propagate_nonreplaceable_vars
    described = type_mapping.get_type_info
    types: dict[type, Any] = {}

    def mark_where_compressed(block: Any) -> None:
        if any(op.blocks or op.op_type.startswith("constexpr_") for op in block.operations):
            mark(block)

    def description(kind: Any) -> Any:
        if not isinstance(kind, type):
            return described(kind)
        if kind not in types:
            types[kind] = described(kind)
        return types[kind]

    Program.validate = lambda *_, **__: None
    Program.__str__ = Block.__str__ = lambda _: ""
    Block._propagate_nonreplaceable_vars = mark_where_compressed
    type_mapping.get_type_info = description
    try:
        yield
    finally:
        Program.validate, Program.__str__, Block.__str__ = validate, text, block_text
        Block._propagate_nonreplaceable_vars = mark
        type_mapping.get_type_info = described
