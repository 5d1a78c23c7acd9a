"""Refuses a file before it enters a bundle."""
