"""Figures for ``evaluate``."""
