"""The errors a user can meet, and the exit code each one maps to.

Every message says what was expected, what came, and what to do next, on one line.
"""

from collections.abc import Iterable

LONGEST_MESSAGE = 2000
"""Characters of the longest message; what came may be a name or a value of any length. Chosen, not measured."""


class PortraitureError(Exception):
    """Base of all errors raised on purpose. ``exit_code`` is what the command line returns."""

    exit_code = 2

    def __str__(self) -> str:
        """The message; of a longer one the beginning, which names the place, and the end, which says what to do."""
        message = super().__str__()
        if len(message) <= LONGEST_MESSAGE:
            return message
        half = LONGEST_MESSAGE // 2 - 2
        return f"{message[:half]} .. {message[-half:]}"


class InputError(PortraitureError):
    """A photo, map, dataset or bundle is not what it must be."""


class OptionError(PortraitureError):
    """An option or a combination of options is not valid."""


class ExportError(PortraitureError):
    """A model cannot be written for a target."""

    exit_code = 1


class GateError(PortraitureError):
    """A parity gate or a quality gate failed."""

    exit_code = 1


def unknown(what: str, value: object, valid: Iterable[object]) -> OptionError:
    """The error for a value outside a closed list: it names the value and lists the valid ones.

    Args:
        what: the word for the value, such as "mode" or "--device".
        value: what came.
        valid: what is allowed, in the order of the list.
    """
    names = ", ".join(str(v) for v in valid)
    return OptionError(f"unknown {what} {value!r}: expected one of {names}; choose one of these")
