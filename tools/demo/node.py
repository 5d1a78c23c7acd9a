"""Node and npm, which build the page."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from portraiture.reference.errors import InputError

LEAST_NODE = (20, 19)
"""What Vite 8 asks for; ``engines`` of the kit's package.json says the same."""


def require_node() -> None:
    """Refuse to go on without Node and npm.

    Raises:
        InputError: one of them is absent, or Node is too old.
    """
    least = ".".join(map(str, LEAST_NODE))
    for name in ("node", "npm"):
        if shutil.which(name) is None:
            raise InputError(f"demo: expected Node {least} or newer and npm to build the page, found no {name};"
                             " install them (Debian: apt-get install nodejs npm)")  # fmt: skip
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.(\d+)", done.stdout)
    if not version or tuple(map(int, version.groups())) < LEAST_NODE:
        found = done.stdout.strip() or done.stderr.strip() or f"exit code {done.returncode}"
        raise InputError(f"demo: expected Node {least} or newer to build the page, found {found}; install a newer Node")


def run_node(command: Sequence[str | Path], folder: Path, what: str) -> None:
    """Run npm or a program that it installed.

    Args:
        command: program and arguments.
        folder: of the kit, where it runs.
        what: what it does, for the message, such as "npm to install the page's packages".

    Raises:
        InputError: it failed; the line holds what it said last.
    """
    environment = os.environ | {"NO_COLOR": "1", "CI": "1", "npm_config_update_notifier": "false"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise InputError(f"demo: expected {what}, found: {_reason(done.stderr + done.stdout, done.returncode)};"
                         " check the network and the npm registry, then run it again")  # fmt: skip


def _reason(said: str, code: int) -> str:
    """The line that says why, of all that npm or Vite said."""
    lines = [re.sub(r"^npm (ERR!|error) ?", "", line).strip() for line in said.splitlines()]
    told = [line for line in lines if line and not line.startswith(("A complete log", "Log files"))]
    telling = [line for line in told if re.search(r"ENOTFOUND|ECONNREFUSED|ETIMEDOUT|E40|network|error", line, re.I)]
    return (telling or told or [f"exit code {code}"])[0][:300]
