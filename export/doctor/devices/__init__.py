"""Says how phones' devices take a file: in how many parts, what crosses between them, what stops them."""
