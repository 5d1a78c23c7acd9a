"""``portraiture train``: every network, from the datasets' own folders."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from portraiture.training.run.trainer import Trainer
    from portraiture.training.trainers import Sources


SUBJECTS = ("coarse", "segmentation", "depth", "perception", "filter")

DATASETS = ("shen2016", "ccp", "nyu", "backgrounds", "folder", "pairs", "held-out")


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


def _filter_data(
    recipe_name: str, data: tuple[str, ...], run: Path, perception: Path | None
) -> tuple[list[Path], list[Path]]:
    """Pair folders to train on and to validate on: given, or rendered into the run folder."""
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


def _trainer(subject: str, recipe: str, data: tuple[str, ...], run: Path, sources: "Sources") -> "Trainer[Any]":
    """The recipe's trainer, its photos decoded and its pairs rendered."""
    from portraiture.training.run.processes import is_main
    from portraiture.training.tasks.filter import FilterData
    from portraiture.training.tasks.people_sets import PeopleData
    from portraiture.training.trainers import filter_trainer, people_trainer

    if subject == "filter":
        train, validation = _filter_data(recipe, data, run, sources.perception)
        trainer = filter_trainer(recipe, FilterData(train, validation), run, sources.init)
    else:
        folders = _folders(data, ("shen2016", "ccp", "nyu"))
        many = {name: tuple(_all_folders(data).get(name, ())) for name in ("backgrounds", "folder")}
        people = PeopleData(
            folders["shen2016"],
            folders["ccp"],
            folders["nyu"],
            many["backgrounds"],
            run / "cache",
            many["folder"],
        )
        trainer = people_trainer(subject, recipe, people, run, sources)
    if "init" in trainer.metadata and is_main():
        click.echo(f"init: {trainer.metadata['init']}")
    return trainer


def _hard_ids(files: tuple[Path, ...]) -> frozenset[str]:
    """Ids that ``evaluate segmentation --split train --worst N --json FILE`` listed."""
    from portraiture.reference.errors import InputError
    from portraiture.reference.files import parse_json

    found: set[str] = set()
    for path in files:
        try:
            found |= {str(entry["id"]) for entry in parse_json(path.read_bytes())["worst"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            expected = "expected a file of evaluate segmentation --split train --worst N --json"
            raise InputError(f"--hard {path}: {expected}, found another ({error}); write one with it") from error
    return frozenset(found)


def _replace_stopping(trainer: "Trainer[Any]", patience: int | None, watch: str | None, smaller: bool) -> None:
    """Put what the command line says in place of the recipe's."""
    schedule = trainer.schedule
    if patience is not None or watch is not None:
        watched = schedule if watch is None else replace(schedule, watch=watch, watch_larger_is_better=not smaller)
        trainer.schedule = replace(watched, patience=schedule.patience if patience is None else patience)


@click.command("train")
@click.argument("subject", type=click.Choice(SUBJECTS))
@click.option(
    "--recipe",
    required=True,
    help="Recipe name: mobile, mobile-fine, paper, smoke; cnn, liu, xu for filter (training/recipes.py).",
)
@click.option("--data", "data", multiple=True, metavar="NAME=DIR",
              help="Folder, repeatable: shen2016, ccp, nyu, backgrounds, folder (images/ and masks/, several);"
              " filter: pairs, held-out.")  # fmt: skip
@click.option("-o", "--output", "run", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in the run folder.")
@click.option(
    "--encoder",
    type=click.Path(path_type=Path),
    help="MobileNetV2 .tflite to initialise the encoder from.",
)
@click.option("--vgg", type=click.Path(path_type=Path), help="VGG-16 weights (torchvision names, safetensors).")
@click.option(
    "--perception",
    type=click.Path(path_type=Path),
    help="Perception weights that coarse maps come from, a run or a file.",
)
@click.option("--init", type=click.Path(path_type=Path), help="Run or file to start from; tensors it lacks begin anew.")
@click.option("--hard", multiple=True, type=click.Path(path_type=Path),
              help="Draw photos 3 times as often: a file of evaluate segmentation --worst N --json.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda; auto is CUDA where there is one.")
@click.option("--patience", type=click.IntRange(min=1), metavar="N",
              help="Stop after N validations without a better figure of --watch.")  # fmt: skip
@click.option("--watch", metavar="NAME", help="Validation figure whose best weights are kept as best.safetensors.")
@click.option(
    "--smaller-is-better",
    "smaller",
    is_flag=True,
    help="The figure of --watch is better when it is smaller, as whdr_nyu.",
)
@click.option("--tensorboard", is_flag=True, help="Write scalars to RUN/tensorboard as well.")
def command(
    subject: str,
    recipe: str,
    data: tuple[str, ...],
    run: Path,
    resume: bool,
    encoder: Path | None,
    vgg: Path | None,
    perception: Path | None,
    init: Path | None,
    hard: tuple[Path, ...],
    device: str,
    patience: int | None,
    watch: str | None,
    smaller: bool,
    tensorboard: bool,
) -> None:
    """Train SUBJECT by a recipe. RUN gets log.jsonl, state.safetensors and weights.safetensors.

    In several processes, each with the recipe's batch: torchrun --nproc-per-node=2 -m portraiture.tools.cli train ...
    On several machines RUN and the datasets are on a disk that all of them share.
    """
    from portraiture.reference.errors import OptionError, unknown
    from portraiture.training.recipes import recipe_names
    from portraiture.training.run import processes as distributed
    from portraiture.training.run.scalars import summary_writer
    from portraiture.training.trainers import Sources

    if recipe not in recipe_names(subject):
        raise unknown(f"recipe of {subject}", recipe, recipe_names(subject))
    if (run / "state.safetensors").exists() and not resume:
        raise OptionError(f"{run}: expected a new run folder, found a run; add --resume or choose another")
    if tensorboard:
        summary_writer()  # before hours of work, not after
    if smaller and watch is None:
        raise OptionError("--smaller-is-better: expected the figure it is about, found none; add --watch NAME")
    chosen = distributed.choose_device(device)
    with distributed.joined(chosen):
        with distributed.main_first():
            trainer = _trainer(subject, recipe, data, run, Sources(encoder, vgg, perception, init, _hard_ids(hard)))
        _replace_stopping(trainer, patience, watch, smaller)
        trainer.scalars = tensorboard
        trainer.place(chosen)
        if resume:
            trainer.resume()
        result = trainer.fit()
        if not distributed.is_main():
            return
    if trainer.step < trainer.schedule.steps:
        click.echo(f"stopped at step {trainer.step} of {trainer.schedule.steps}: {trainer.schedule.watch} is no better")
    for name, value in result.items():
        click.echo(f"{name:24} {value:.4f}")
    click.echo(f"weights: {run / 'weights.safetensors'}")
    click.echo(f"float16: {trainer.ship()}, the form that is shipped")
    if trainer.best is not None:
        click.echo(f"best:    {run / 'best.safetensors'} ({trainer.schedule.watch} {trainer.best:.4f})")
