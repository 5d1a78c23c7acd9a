"""Scenes whose truth is known, ablations, and the graph-cut baseline."""
