"""The second route to TFLite, in an environment of its own."""
