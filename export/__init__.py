"""Converted models: contract, targets, runtimes, parity and bundle."""
