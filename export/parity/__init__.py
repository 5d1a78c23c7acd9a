"""Judges a bundle, or what an app computed."""
