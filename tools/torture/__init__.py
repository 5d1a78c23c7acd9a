"""What the commands do when they are killed, find no place to write, or are given damaged files."""
