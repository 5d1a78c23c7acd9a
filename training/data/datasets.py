"""Where the files of each dataset lie, and which ids are held out.

Layouts are the datasets' own (see the README of each), so that anyone who owns a full set can point the same command
at it. ``validation`` is the last 15 % of the sorted ids of a set, without the near-duplicates of training photos; they
are never trained on.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

from portraiture.reference.errors import InputError, unknown
from portraiture.reference.files import read_bytes
from portraiture.training.data.layouts import ALL_SETS, DEPTH_SETS, PARTS_FOLDER, Sample
from portraiture.training.data.near_duplicates import in_training

VALIDATION_SHARE = 0.15
"""Share of each set that is held out; chosen, not measured."""


class Split(Enum):
    """Part of a dataset."""

    TRAIN = "train"
    VALIDATION = "validation"
    ALL = "all"


def split_of(samples: list[Sample], split: Split, by_groups: bool = True) -> list[Sample]:
    """A part of a sorted list: validation is its last 15 %, without the photos that belong to training.

    Photos that the user holds out are the validation instead.

    Args:
        samples: all of a set, in the order of their ids.
        split: which part.
        by_groups: near-duplicates of training photos go to training; otherwise the place in the list alone decides.
    """
    if split is Split.ALL:
        return samples
    if any(s.held_out for s in samples):
        return [s for s in samples if s.held_out == (split is Split.VALIDATION)]
    first_held_out = int(len(samples) * (1 - VALIDATION_SHARE))
    moved = [s for s in samples[first_held_out:] if s.trained and by_groups]
    if split is Split.TRAIN:
        return samples[:first_held_out] + moved
    return [s for s in samples[first_held_out:] if s not in moved]


def held_out_by_name(name: str, samples: list[Sample], ids: Collection[str]) -> list[Sample]:
    """The samples, those held out that a user's list names.

    Args:
        name: of the set: a layout's, or a folder's own.
        samples: all of the set.
        ids: ``ID``, or ``SET/ID`` where ids of two sets are equal; a set that none of them names keeps its own split.
    """
    return [replace(s, held_out=s.id in ids or f"{name}/{s.id}" in ids) for s in samples]


def digest_of(samples: list[Sample]) -> dict[str, Any]:
    """The number of a set's photos, of those held out, and a SHA-256 of all ids, photos and labels in their order."""
    whole = hashlib.sha256()
    for sample in samples:
        for part in (
            sample.id.encode(),
            *(read_bytes(path, "a photo or label") for path in (sample.photo, sample.label)),
        ):
            whole.update(hashlib.sha256(part).digest())
    held_out = len(split_of(samples, Split.VALIDATION))
    return {"photos": len(samples), "held_out": held_out, "sha256": whole.hexdigest()}


def set_name(dataset: str, root: Path) -> str:
    """What a set is called in the list of near-duplicates: a folder's or a set of backgrounds' by its folder."""
    return root.absolute().name if dataset in ("folder", "backgrounds") else dataset


def _list(sets: Mapping[str, Callable[[Path], list[Sample]]], dataset: str, root: Path, split: Split) -> list[Sample]:
    if dataset not in sets:
        raise unknown("dataset", dataset, sets)
    name, trained = set_name(dataset, root), in_training()
    samples = [replace(s, trained=True) if (name, s.id) in trained else s for s in sets[dataset](root)]
    return split_of(samples, split)


def list_samples(dataset: str, root: Path, split: Split = Split.ALL, parts: bool = False) -> list[Sample]:
    """The samples of a dataset, in the order of their ids; those of ``folder`` have masks.

    Args:
        dataset: name of a layout, a key of ``ALL_SETS``.
        root: the set's top folder.
        split: the part that is listed.
        parts: labels of a part of the person alone will do.

    Raises:
        OptionError: an unknown dataset.
        InputError: a folder or a label is missing, a file has another name than the layout asks for, or the labels
            show parts where whole people are needed.
    """
    samples = _list(ALL_SETS, dataset, root, split)
    if not parts and any(s.partial for s in samples):
        raise InputError(
            f"{root}: expected masks of whole people, found {PARTS_FOLDER}/ alone; train perception and evaluate"
            " segmentation take it, here give masks"
        )
    return samples


def list_depths(dataset: str, root: Path, split: Split = Split.ALL) -> list[Sample]:
    """The same for sets whose labels are depth maps: ``nyu``, and ``folder`` with ``depths/``.

    Args:
        dataset: name of a layout, a key of ``DEPTH_SETS``.
        root: the set's top folder.
        split: the part that is listed.

    Raises:
        OptionError, InputError: as :func:`list_samples`.
    """
    return _list(DEPTH_SETS, dataset, root, split)
