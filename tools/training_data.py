"""What ``portraiture train`` learns from: its ``--data``, ``--held-out`` and ``--hard`` as lists and folders."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portraiture.training.tasks.people_sets import PeopleData

DATASETS = ("shen2016", "ccp", "nyu", "diw", "backgrounds", "folder", "pairs", "held-out")


def _all_folders(options: tuple[str, ...]) -> dict[str, list[Path]]:
    """``NAME=DIR`` options -> folders by name, in the order given."""
    from portraiture.reference.errors import InputError, OptionError, unknown

    folders: dict[str, list[Path]] = {}
    for option in options:
        name, sign, folder = option.partition("=")
        if not sign or not folder:
            raise OptionError(
                f"--data: expected NAME=DIR, found {option!r}; write one of {', '.join(DATASETS)} before =DIR"
            )
        if name not in DATASETS:
            raise unknown("--data name", name, DATASETS)
        if not Path(folder).is_dir():
            raise InputError(f"--data {name}: expected a folder, found none at {folder}; name one that exists")
        folders.setdefault(name, []).append(Path(folder))
    return folders


def _folders(options: tuple[str, ...], required: tuple[str, ...]) -> dict[str, Path]:
    """``NAME=DIR`` options -> the last folder of each name."""
    from portraiture.reference.errors import OptionError

    folders = {name: found[-1] for name, found in _all_folders(options).items()}
    missing = [n for n in required if n not in folders]
    if missing:
        wanted = " ".join(f"--data {name}=DIR" for name in missing)
        raise OptionError(f"--data: expected {', '.join(required)}, found no {', '.join(missing)}; add {wanted}")
    return folders


def filter_pairs(
    recipe_name: str, data: tuple[str, ...], run: Path, perception: Path | None
) -> tuple[list[Path], list[Path]]:
    """Pair folders to train on and to validate on: given, or rendered into the run folder.

    Args:
        recipe_name: of the filter's recipe.
        data: ``NAME=DIR`` each: pairs and held-out, or shen2016 and ccp.
        run: the run folder.
        perception: run or file of the network that predicts maps; None takes the shipped one.

    Raises:
        OptionError, InputError: a set is missing, or a photo cannot be rendered.
    """
    import os

    from portraiture.reference.errors import InputError, OptionError
    from portraiture.reference.photo.folder import spread
    from portraiture.tools.progress import over
    from portraiture.training.checkpoints.read import weights_file
    from portraiture.training.data.datasets import Split, list_samples
    from portraiture.training.recipes import FILTER_RECIPES
    from portraiture.training.rendered.files import list_pairs
    from portraiture.training.rendered.jobs import JobStatus, PairJob, make_pair, unfinished
    from portraiture.training.rendered.jobs import weights_digest as digest
    from portraiture.training.rendered.options import PairOptions, claim
    from portraiture.training.rendered.workers import over_processes
    from portraiture.training.weights import SHIPPED_PERCEPTION

    folders = _folders(data, ())
    if "pairs" in folders or "held-out" in folders:
        folders = _folders(data, ("pairs", "held-out"))
        if perception is not None:
            raise OptionError(
                "--perception: expected no --data pairs=DIR with it, found both; drop it, the pairs have maps"
            )
        return list_pairs(folders["pairs"]), list_pairs(folders["held-out"])
    folders = _folders(data, ("shen2016", "ccp"))
    recipe = FILTER_RECIPES[recipe_name]
    weights = weights_file(perception or SHIPPED_PERCEPTION).resolve()
    options = PairOptions(*recipe.size, maps=digest(weights))

    def render(split: Split, count: int) -> list[Path]:
        output = (run / "pairs" / split.value).resolve()
        claim(output, options)
        half = max(1, count // 2)
        jobs = []
        for name in ("shen2016", "ccp"):
            samples = list_samples(name, folders[name], split)
            jobs += [
                PairJob(f"{name}_{s.id}", s.photo.resolve(), s.label.resolve(), None, weights, output, options)
                for s in spread(samples, half)
            ]
        todo = unfinished(jobs)
        for outcome in over(over_processes(make_pair, todo, os.cpu_count() or 1), len(todo), "photo", "pairs"):
            if outcome.status is JobStatus.FAILED:
                raise InputError(outcome.message)
        return list_pairs(output)

    validation = render(Split.VALIDATION, recipe.held_out)
    return render(Split.TRAIN, recipe.pairs), validation


def people_data(data: tuple[str, ...], run: Path, held_out: Path | None) -> "PeopleData":
    """The sets that are there: every one of them may be missing.

    Args:
        data: ``NAME=DIR`` each, of a folder also ``folder=DIR:WEIGHT``.
        run: the run folder, in which decoded photos are kept.
        held_out: file with an id in each line; None holds out about the last 15 % of each set.

    Raises:
        OptionError, InputError: an unknown set, a folder that is not there, a weight or a list of another form.
    """
    from portraiture.reference.errors import OptionError
    from portraiture.training.tasks.people_sets import Folder, PeopleData

    plain, weighted = list[str](), list[Folder]()
    for option in data:
        name, _, place = option.partition("=")
        path, sign, weight = place.rpartition(":")
        if name == "folder" and sign and not Path(place).is_dir():
            try:
                weighted.append(Folder(Path(path), float(weight)))
            except ValueError:
                raise OptionError(
                    f"--data {option}: expected folder=DIR:WEIGHT, found {weight!r}; give a number such as 2"
                ) from None
            if not 0 < weighted[-1].weight < float("inf"):
                raise OptionError(f"--data {option}: expected a weight above 0, found {weight}; give one such as 2")
            option = f"{name}={path}"
        elif name in ("folder", "diw"):
            weighted.append(Folder(Path(place)))
        plain.append(option)
    every = _all_folders(tuple(plain))
    sets = {name: every[name][-1] if name in every else None for name in ("shen2016", "ccp", "nyu")}
    backgrounds = tuple(every.get("backgrounds", ()))
    return PeopleData(**sets, backgrounds=backgrounds, cache=run / "cache", folders=tuple(weighted),
                      held_out=held_out_ids(held_out))  # fmt: skip


HELD_OUT = "held_out.txt"
"""In a run's folder: what it held out, as ``--held-out`` takes it."""


def held_out_by_run(weights: tuple[str, ...]) -> Path | None:
    """The list that the one run of ``--weights`` wrote; None for other weights."""
    path = Path(weights[0]) / HELD_OUT if len(weights) == 1 else None
    return path if path is not None and path.is_file() else None


def held_out_ids(path: Path | None) -> frozenset[str]:
    """The lines of ``--held-out``."""
    from portraiture.reference.errors import InputError
    from portraiture.reference.files import read_bytes

    if path is None:
        return frozenset()
    try:
        lines = read_bytes(path, "a list of ids").decode().splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected text with an id in each line, found another file; write one") from None
    found = frozenset(line.strip() for line in lines if line.strip())
    if not found:
        raise InputError(f"{path}: expected an id in each line, found none; write ID or SET/ID")
    return found


def hard_ids(files: tuple[Path, ...], option: str = "--hard") -> frozenset[str]:
    """Ids that ``evaluate segmentation --split train --worst N --json FILE`` listed, for an option."""
    from portraiture.reference.errors import InputError
    from portraiture.reference.files import parse_json

    found: set[str] = set()
    for path in files:
        try:
            found |= {str(entry["id"]) for entry in parse_json(path.read_bytes())["worst"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            expected = "expected a file of evaluate segmentation --split train --worst N --json"
            raise InputError(f"{option} {path}: {expected}, found another ({error}); write one with it") from error
    return frozenset(found)
