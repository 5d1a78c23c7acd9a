"""How much memory a process has had at most."""

import resource
from contextlib import suppress
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_kib() -> int:
    """This process's own peak; ``ru_maxrss``, the way of other systems, begins at its parent's on Linux."""
    if _STATUS.exists():
        return int(_STATUS.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def forget_peak() -> None:
    """Let the peak begin anew at what the process has now, where the system can."""
    with suppress(OSError):
        _RESET.write_text("5")
