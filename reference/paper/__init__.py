"""The paper's equations (4) to (10), one file each."""
