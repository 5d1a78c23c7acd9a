"""Converted models: the contract of each, the file formats, the bundle and the parity gate; ``README.md`` is the guide."""
