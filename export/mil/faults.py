"""The two errors of this package: a file that is damaged, and a program that cannot run here."""

from pathlib import Path

from portraiture.reference.errors import InputError


def damaged(place: str | Path, expected: str, found: str) -> InputError:
    """A file is not what was written.

    Args:
        place: the file, with the part of it that is wrong.
        expected: in words.
        found: in words.
    """
    return InputError(f"{place}: expected {expected}, found {found}; export or download the package again")


def cannot_run(place: str | Path, expected: str, found: str) -> InputError:
    """A program holds what MIL does not document, or what the interpreter does not support.

    Args:
        place: the file and operation, or the operation's parameter.
        expected: in words.
        found: in words.
    """
    return InputError(f"{place}: expected {expected}, found {found}; export the file again, or run it on macOS")
