"""Photos of any size in bounded memory, strip by strip."""
