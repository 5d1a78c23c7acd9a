"""Converted models: their contract, file formats, bundle and parity gate; ``README.md`` is the guide."""
