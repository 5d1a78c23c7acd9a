"""What made a bundle: versions of the tools, and the revision of the checkout."""

import importlib.metadata
import subprocess
from collections.abc import Sequence
from pathlib import Path

from portraiture.export.formats import Route, Target
from portraiture.export.targets import FORMATS

_TOOLS = ("portraiture", "torch", "litert-torch", "ai-edge-litert", "ai-edge-quantizer", "coremltools", "numpy")


def tool_versions(targets: Sequence[Target], route: Route = Route.LITERT) -> dict[str, str]:
    """Versions of the packages that wrote the bundle; onnx-tf's environment is pinned with the package."""
    formats = [FORMATS[t] for t in targets] + ([FORMATS[Target.ONNX]] if route is Route.ONNX_TF else [])
    names = (*_TOOLS, *(name for form in formats for name in form.tools))
    return {name: importlib.metadata.version(name) for name in names}


def git_revision() -> str:
    """Revision of the checkout this package runs from, or ``unknown`` for an installed wheel.

    A wheel may be installed inside another project's checkout; that one's revision says nothing.
    """
    folder = Path(__file__).resolve().parents[1]
    if not (folder.parent / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip() or "unknown"
