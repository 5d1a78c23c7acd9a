"""What a phone needs to run a TFLite file."""

from pathlib import Path

from portraiture.export.tflite.model import named_buffers

ANDROID_API = "21"
"""Of LiteRT 1.4.2's Interpreter; LiteRT 2.1's CompiledModel begins at 23. https://ai.google.dev/edge/litert/android"""

_RUNTIME = "min_runtime_version"
"""Name of the buffer in which the converter writes the lowest version of the runtime that has all operations."""


def needs(path: Path) -> dict[str, str]:
    """The lowest versions that run a file: ``tflite_runtime`` where the file says it, and ``android_api``."""
    runtime = named_buffers(path).get(_RUNTIME, b"").rstrip(b"\0").decode("ascii", "replace")
    return {**({"tflite_runtime": runtime} if runtime else {}), "android_api": ANDROID_API}
