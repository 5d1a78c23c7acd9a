"""The photos that an evaluation reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from portraiture.reference.errors import InputError
from portraiture.reference.photo.folder import spread
from portraiture.training.data.datasets import Split, held_out_by_name, list_samples, set_name, split_of
from portraiture.training.data.layouts import Sample
from portraiture.training.data.negatives import person_free_photos

T = TypeVar("T")


@dataclass(frozen=True)
class Photos:
    """Which photos of which dataset.

    Attributes:
        dataset: name of a layout.
        root: its top folder.
        split: part of it.
        limit: use at most this many photos, spread evenly over the part; None takes all.
        held_out: ids that the user held out, ``ID`` or ``SET/ID``; empty for the last 15 %.
    """

    dataset: str
    root: Path
    split: Split
    limit: int | None
    held_out: frozenset[str] = frozenset()

    def choose(self, found: Sequence[T]) -> list[T]:
        """At most ``limit`` of the photos found, spread evenly over all of them.

        Raises:
            InputError: there are none.
        """
        if not found:
            raise InputError(
                f"{self.dataset}: expected photos in {self.root} (split {self.split.value}), found none;"
                " check --root and --split"
            )
        return spread(found, self.limit)

    def samples(self, parts: bool = False) -> list[Sample]:
        """The chosen photos with their masks, with ``parts`` also of hair alone; of bsds500, those without a person."""
        if self.dataset == "bsds500":
            if not self.root.is_dir():
                raise InputError(f"bsds500: expected a folder of photos, found none at {self.root}; check --root")
            return self.choose(split_of(person_free_photos(self.root), self.split))
        return self.choose(self.of_split(list_samples(self.dataset, self.root, parts=parts)))

    def of_split(self, samples: list[Sample]) -> list[Sample]:
        """The split's photos, by the user's list where it names some of this set."""
        return split_of(held_out_by_name(set_name(self.dataset, self.root), samples, self.held_out), self.split)
