"""Runs the commands that the guides name, and exits 1 where a figure is not what is printed."""

import sys

from portraiture.tools.figures.check import main

if __name__ == "__main__":
    sys.exit(main())
