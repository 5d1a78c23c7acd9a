"""Converted models: contract, targets, runtimes, parity and bundle.

- What a model is: ``contract``, ``networks``, and what an app does around it: ``resize``, ``maps``, ``compose``,
  ``pipeline``.
- Writing: ``bundle`` (the order of work); ``tflite``, ``tflite_quantize``, ``calibration``, ``tflite_metadata``;
  ``coreml``, ``coreml_compress``; ``onnx``, ``onnx_compress``; the second route ``onnx_tf``, ``onnx_tf_env``,
  ``onnx_tf_worker``; ``packaging``, ``tflite_merge``; ``goldens``, ``app_constants``, ``manifest``, ``in_place``.
- Refusing before a file is kept: ``doctor``, ``doctor_gates``, ``operations``; before one is read: ``manifest_check``.
- Running: ``runtimes/`` and, for Core ML off macOS, ``mil/``.
- Judging: ``parity`` with ``truth``, ``compare``, ``tolerances``, ``verdict``; ``device`` for what an app computed.
- Explaining a failure: ``locate``, ``taps``, ``diagnose``, ``file_weights``.
"""
