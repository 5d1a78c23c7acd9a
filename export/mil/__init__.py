"""A reference interpreter that runs a saved Core ML ``.mlpackage`` off macOS, with torch.

It reads ``Manifest.json``, ``model.mlmodel`` (protobuf) and ``weight.bin``, and executes the ML program's
operations (MIL) one by one.

What a passing run proves: the file's graph, its weights and its image scaling compute the torch function, under
the documented MIL semantics (the docstrings of ``coremltools.converters.mil.mil.ops.defs``).

What it does not prove: that Apple's compiler loads the file, which operations land on the Neural Engine, latency,
or how the device really rounds fp16. Say so wherever its result is shown.
"""
