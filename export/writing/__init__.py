"""One export: from a spec to a bundle in its place."""
