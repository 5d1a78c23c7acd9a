"""Which depth is sharp, and how large a blur every other depth gets."""
