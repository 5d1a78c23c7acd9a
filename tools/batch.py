"""Commands over many photos: a bad photo does not stop the others, and the bad ones are listed at the end."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from portraiture.reference.errors import InputError
from portraiture.tools.progress import bar


class Failures:
    """The photos of a batch that failed, and why.

    Args:
        photos: the whole batch; failures are listed in its order.
    """

    def __init__(self, photos: Sequence[Path]) -> None:
        self.photos = tuple(photos)
        self.reasons: dict[Path, str] = {}

    def add(self, photo: Path, reason: str) -> None:
        """Keep a photo's error for the end, on one line that names the photo once."""
        line = " ".join(reason.split())
        self.reasons[photo] = line if line.startswith(f"{photo}: ") else f"{photo}: {line}"

    def end(self) -> None:
        """List the photos that failed on stderr, one line each, and raise; without a failure do nothing.

        Raises:
            InputError: a photo failed; where the batch is one photo, with its reason, and nothing is listed.
        """
        failed = [self.reasons[photo] for photo in self.photos if photo in self.reasons]
        if failed and len(self.photos) == 1:
            raise InputError(failed[0])
        for line in failed:
            click.echo(line, err=True)
        if failed:
            raise InputError(
                f"expected {len(self.photos)} photos to work, found {len(failed)} that failed (listed above; the others"
                " are done); do what each line says and run the command on those photos again"
            )


def over_photos(photos: Sequence[Path], work: Callable[[Path], None]) -> None:
    """Do the work of every photo; on a terminal, a bar names the one that runs.

    Args:
        photos: files, one or more.
        work: writes what it makes of a photo as its last step, so that a photo that fails leaves nothing behind.

    Raises:
        InputError: a photo failed. One photo alone raises its own error; of several, the others are done first and
            the failed ones are listed on stderr.
    """
    failures = Failures(photos)
    with bar(len(photos), "photo") as progress:
        for photo in photos:
            progress.set_description(photo.name)
            try:
                work(photo)
            except InputError as error:
                failures.add(photo, str(error))
            progress.update()
    failures.end()
