"""How often ``find_person`` is right: ``python -m portraiture.tools.presence_evaluation --people DIR --nobody DIR``.

It runs the shipped perception network over folders of photos and counts the verdicts. The last column is the rule
that this one replaced: a person from one pixel of 0.5 on. Run it again after a training.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.errors import InputError, PortraitureError
from portraiture.reference.photo.read import read_photo
from portraiture.reference.presence import Presence, find_person
from portraiture.tools.batch import note, over_photos
from portraiture.tools.open_pipeline import open_pipeline
from portraiture.tools.report.terminal import console

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")

ANY_PIXEL = "one pixel of 0.5"


def photos_of(folder: Path, every: int) -> list[Path]:
    """Every so many of a folder's photos, in the order of their names.

    Raises:
        InputError: no folder, or no photo in it.
    """
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in PHOTO_SUFFIXES)
    if not found:
        raise InputError(f"{folder}: expected a folder of photos ({' '.join(PHOTO_SUFFIXES)}), found none; check it")
    return found[::every]


def count_verdicts(photos: Sequence[Path], pipeline: Pipeline, unwanted: Presence | None) -> dict[str, int]:
    """Verdicts on photos: their number by ``Presence`` value, and by ``ANY_PIXEL``.

    Args:
        photos: files, one or more.
        pipeline: gives the masks.
        unwanted: a verdict whose photos are named on stderr.

    Raises:
        InputError: a photo cannot be read; the others are counted first.
    """
    counts = dict.fromkeys([*(p.value for p in Presence), ANY_PIXEL], 0)

    def judge(photo: Path) -> None:
        mask = pipeline.perceive(read_photo(photo)).mask
        found = find_person(mask)
        counts[found.presence.value] += 1
        counts[ANY_PIXEL] += bool((mask >= 0.5).any())
        if found.presence is unwanted:
            note(f"{photo}: {found.presence.value} ({found})")

    over_photos(photos, judge)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table with one row per folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m portraiture.tools.presence_evaluation", description=__doc__)
    parser.add_argument("--people", nargs="+", type=Path, default=[], metavar="DIR", help="Photos that show people.")
    parser.add_argument("--nobody", nargs="+", type=Path, default=[], metavar="DIR", help="Photos that show nobody.")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="Take every Nth photo of each folder.")
    options = parser.parse_args(arguments)
    if not (options.people or options.nobody) or options.every < 1:
        parser.error("expected --people DIR or --nobody DIR, and --every of 1 or more")
    columns = [*(p.value for p in Presence), ANY_PIXEL]
    table = Table("folder", "shows", "photos", *columns)
    try:
        pipeline = open_pipeline("torch", None, None)
        for shows, folders in (("people", options.people), ("nobody", options.nobody)):
            unwanted = Presence.ABSENT if shows == "people" else Presence.CLEAR
            for folder in folders:
                photos = photos_of(folder, options.every)
                counts = count_verdicts(photos, pipeline, unwanted)
                table.add_row(str(folder), shows, str(len(photos)), *(str(counts[column]) for column in columns))
    except PortraitureError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
