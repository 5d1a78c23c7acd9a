"""Reads photos and maps, writes pictures, lists a folder."""
