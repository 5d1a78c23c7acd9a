"""Says how far the files of two bundles are from each other: weights, outputs, portraits."""
