"""Times for ``bench``."""
