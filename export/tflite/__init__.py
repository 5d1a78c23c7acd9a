"""TFLite: write, compress, read, run, look inside."""
