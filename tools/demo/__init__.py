"""The browser page of a bundle: built by Node, served here or written as static files."""
