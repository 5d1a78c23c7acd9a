"""Figures for any predictor, one measure per file."""
