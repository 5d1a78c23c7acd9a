"""The trimap, each solver in a file of its own, and the person's own colour."""
