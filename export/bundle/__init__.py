"""Reads a bundle and proves it whole."""
