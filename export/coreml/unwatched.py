"""coremltools without its looks at a program in the middle of a conversion."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unwatched() -> Iterator[None]:
    """A block in which coremltools neither looks for errors of its own nor writes a program out for its log.

    It does the one after each of some 150 passes and the other before and after each pipeline of them, though the log
    is off: a third of a conversion, and half of a compression. Whoever uses the block validates the program when it is
    whole, and the doctor runs the file.
    """
    from coremltools.converters.mil.mil import Program

    validate, text = Program.validate, Program.__str__
    Program.validate = lambda *_, **__: None
    Program.__str__ = lambda _: ""
    try:
        yield
    finally:
        Program.validate, Program.__str__ = validate, text
