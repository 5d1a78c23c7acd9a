"""How often ``find_person`` is right: ``python -m portraiture.tools.evaluate.presence --people DIR --nobody DIR``.

It runs the shipped perception network over folders of photos and counts the verdicts. The last column is the rule
that this one replaced: a person from one pixel of 0.5 on. Run it again after a training.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.arrays import person_pixels
from portraiture.reference.errors import PortraitureError
from portraiture.reference.photo.folder import photos_in
from portraiture.reference.photo.read import read_photo
from portraiture.reference.presence import Presence, find_person
from portraiture.tools.batch import over_photos
from portraiture.tools.evaluate.table import markdown_table
from portraiture.tools.open_pipeline import open_pipeline
from portraiture.tools.progress import note

ANY_PIXEL = "one pixel of 0.5"


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
        counts[ANY_PIXEL] += bool(person_pixels(mask).any())
        if found.presence is unwanted:
            note(f"{photo}: {found.presence.value} ({found})")

    over_photos(photos, judge)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table with one row per folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m portraiture.tools.evaluate.presence", description=__doc__)
    parser.add_argument("--people", nargs="+", type=Path, default=[], metavar="DIR", help="Photos that show people.")
    parser.add_argument("--nobody", nargs="+", type=Path, default=[], metavar="DIR", help="Photos that show nobody.")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="Take every Nth photo of each folder.")
    options = parser.parse_args(arguments)
    if not (options.people or options.nobody) or options.every < 1:
        parser.error("expected --people DIR or --nobody DIR, and --every of 1 or more")
    columns = [*(p.value for p in Presence), ANY_PIXEL]
    rows = []
    try:
        pipeline = open_pipeline("torch", None, None)
        for shows, folders in (("people", options.people), ("nobody", options.nobody)):
            unwanted = Presence.ABSENT if shows == "people" else Presence.CLEAR
            for folder in folders:
                photos = photos_in(folder, f"--{shows}")[:: options.every]
                counts = count_verdicts(photos, pipeline, unwanted)
                rows.append([str(folder), shows, str(len(photos)), *(str(counts[column]) for column in columns)])
    except PortraitureError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(markdown_table(["folder", "shows", "photos", *columns], rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
