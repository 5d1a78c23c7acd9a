"""Read damaged photos of every kind through all that ``render`` does with a photo's file; print how each one ended.

``python -m portraiture.tools.torture.fuzz`` reads 10,000 in some ten minutes on one core. Each may take 10 s and 2 GiB.
It ends with 1 where one ended in anything but an image or one line.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from portraiture.tools.progress import note
from portraiture.tools.torture.command import warm_up
from portraiture.tools.torture.photo_files import write_whole_photos
from portraiture.tools.torture.readers import WHOLE
from portraiture.tools.torture.table import counts_table
from portraiture.tools.torture.workers import Count, tortured


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portraiture.tools.torture.fuzz", description=__doc__)
    parser.add_argument("--variants", type=int, default=10_000, help="Damaged photos, of all kinds. [default: 10000]")
    parser.add_argument("--seconds", type=float, default=1800,
                        help="After so long no further photo is read. [default: 1800]")  # fmt: skip
    parser.add_argument("--workers", type=int, default=2, help="Kinds at once. [default: 2]")
    parser.add_argument("--seed", type=int, default=0, help="Seed of the damage. [default: 0]")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the photos and print the table; return 1 where a reading ended wrongly."""
    options, started = _options(arguments), time.monotonic()
    warm_up()
    names = list(WHOLE)
    kinds = len(names)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        work = Path(name)
        sound = work / "sound"
        sound.mkdir()
        write_whole_photos(sound)

        def of_kind(k: int) -> Count:
            most = (k + 1) * options.variants // kinds - k * options.variants // kinds
            note(f"fuzz: {names[k]}, {most} variants")
            left = options.seconds - (time.monotonic() - started)
            return tortured(names[k], sound, work, options.seed, most, left)

        with ThreadPoolExecutor(options.workers) as pool:
            counts = list(pool.map(of_kind, range(kinds)))
    read, faults = sum(c.files for c in counts), sum(c.faults for c in counts)
    print(counts_table(counts))
    print(f"fuzz: {read} of {options.variants} variants read, {faults} faults, {time.monotonic() - started:.0f} s;"
          f" seed {options.seed}")  # fmt: skip
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
