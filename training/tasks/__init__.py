"""Batches, loss and validation of each network."""
