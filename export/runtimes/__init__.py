"""Runtimes: what executes a model. All take and give photo-shaped arrays, whatever the layout of the file.

At this boundary an image is HxWx3 and a map HxW, float in 0..1; a scalar is a float. ``rgb`` holds 8-bit values / 255.
"""
