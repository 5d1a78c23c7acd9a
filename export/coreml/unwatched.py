"""coremltools without what it does again and again in the middle of a conversion."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unwatched() -> Iterator[None]:
    """A block in which coremltools converts and compresses without three repetitions; the package is the same.

    It looks for errors of its own after each of some 150 passes. It writes the program out for its log, which is off.
    And whenever a pass leaves a block, it marks all that comes after compressed weights, where there mostly are none.
    Together they were half of a conversion. Whoever uses the block validates the program when it is whole, and the
    doctor runs the file.
    """
    from coremltools.converters.mil.mil import Block, Program

    validate, text, mark = Program.validate, Program.__str__, Block._propagate_nonreplaceable_vars

    def mark_where_compressed(block: Any) -> None:
        if any(op.blocks or op.op_type.startswith("constexpr_") for op in block.operations):
            mark(block)

    Program.validate = lambda *_, **__: None
    Program.__str__ = lambda _: ""
    Block._propagate_nonreplaceable_vars = mark_where_compressed
    try:
        yield
    finally:
        Program.validate, Program.__str__, Block._propagate_nonreplaceable_vars = validate, text, mark
