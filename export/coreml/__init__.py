"""Core ML: write, compress, read, run, look inside."""
