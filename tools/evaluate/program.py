"""How the programs in here that are no part of ``portraiture`` end: one line for what the user can mend."""

import sys
from collections.abc import Callable

from portraiture.reference.errors import PortraitureError


def exit_code(name: str, work: Callable[[], None]) -> int:
    """Do the work; 0, or, with a line on stderr, the code of the error that ended it.

    Args:
        name: of the program, the first word of the line.
        work: what it does; other errors than ours go through.
    """
    try:
        work()
    except PortraitureError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.exit_code
    return 0
