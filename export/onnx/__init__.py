"""ONNX: write, compress, read, run, look inside."""
