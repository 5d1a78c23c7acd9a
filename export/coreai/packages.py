"""Apple's packages for Core AI, which come with an extra of ours; nothing else of ours imports them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from portraiture.export.quiet import quiet
from portraiture.reference.errors import InputError

MODULES = ("coreai", "coreai_torch", "coreai_opt")
"""Compiler and runtime, converter, compression."""


INSTALL = "pip install 'portraiture[coreai]'"
"""What installs them."""


def absent() -> str:
    """What is missing here; empty where nothing is."""
    lacking = [name for name in MODULES if find_spec(name) is None]
    return f"the coreai extra is not installed ({lacking[0]} is missing)" if lacking else ""


def require() -> None:
    """Raise InputError where a package is missing."""
    if why := absent():
        raise InputError(f"coreai: expected Apple's packages of Core AI, found that {why}; {INSTALL}")


@contextmanager
def apple() -> Iterator[None]:
    """A block that uses Apple's packages, without their progress bars, logs and warnings about versions.

    Raises:
        InputError: a package is missing.
    """
    require()
    with quiet():
        yield
