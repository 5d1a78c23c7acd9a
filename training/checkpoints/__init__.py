"""Checkpoints as teams have them: any common file, prefix and wrapper, plain or averaged."""
