"""Pairs: the CRF reference's pictures of a photo, made and kept."""
