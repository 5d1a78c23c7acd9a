"""What a phone needs to run an ONNX file."""

from pathlib import Path

ANDROID_API = "21"
"""https://onnxruntime.ai/docs/reference/compatibility.html, which tests 28."""

FIRST_OPSET, FIRST_RELEASE = 15, 10
"""ONNX Runtime 1.10 has opset 15, and each release since the next one; https://onnxruntime.ai/docs/reference/compatibility.html"""

LAST_OPSET = 17
"""The last one of that row: 1.12."""


def needs(path: Path) -> dict[str, str]:
    """The lowest versions that run a file: ``ir``, ``opset``, ``onnxruntime`` where it is known, ``android_api``."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    opset = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    release = f"1.{FIRST_RELEASE + max(0, opset - FIRST_OPSET)}"
    known = {"onnxruntime": release} if 0 < opset <= LAST_OPSET else {}
    return {"ir": str(model.ir_version), "opset": str(opset), **known, "android_api": ANDROID_API}
