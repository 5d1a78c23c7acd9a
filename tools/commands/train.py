"""``portraiture train``: every network, from the datasets' own folders."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portraiture.reference.files import write_text
from portraiture.tools.run_config import FILE, check_data, use_config, write_config
from portraiture.tools.training_data import HELD_OUT

if TYPE_CHECKING:
    from portraiture.training.run.trainer import Trainer
    from portraiture.training.trainers import Sources


SUBJECTS = ("coarse", "segmentation", "depth", "perception", "filter")


def _trainer(
    subject: str, recipe: str, data: tuple[str, ...], run: Path, sources: "Sources", held_out: Path | None
) -> "Trainer[Any]":
    """The recipe's trainer, its photos decoded and its pairs rendered."""
    from portraiture.reference.errors import OptionError
    from portraiture.tools.training_data import filter_pairs, people_data
    from portraiture.training.run.processes import is_main
    from portraiture.training.tasks.filter import FilterData
    from portraiture.training.trainers import filter_trainer, people_trainer

    if subject == "filter":
        if held_out is not None:
            raise OptionError("--held-out: expected another subject with it, found filter; give --data held-out=DIR")
        train, validation = filter_pairs(recipe, data, run, sources.perception)
        trainer = filter_trainer(recipe, FilterData(train, validation), run, sources.init)
    else:
        trainer = people_trainer(subject, recipe, people_data(data, run, held_out), run, sources)
    for said in ("init", "lacking", "one sitting"):
        if said in trainer.metadata and is_main():
            click.echo(f"{said}: {trainer.metadata[said]}")
    return trainer


def _replace_stopping(trainer: "Trainer[Any]", patience: int | None, watch: str | None, smaller: bool) -> None:
    """Put what the command line says in place of the recipe's."""
    schedule = trainer.schedule
    if patience is not None or watch is not None:
        watched = schedule if watch is None else replace(schedule, watch=watch, watch_larger_is_better=not smaller)
        trainer.schedule = replace(watched, patience=schedule.patience if patience is None else patience)


WORST_SHEET = "worst.png"
"""The picture of the worst held-out photos in a run folder."""


@click.command("train")
@click.argument("subject", type=click.Choice(SUBJECTS))
@click.option(
    "--recipe",
    required=True,
    help="Recipe name: mobile, mobile-fine, paper, smoke; cnn, liu, xu for filter (training/recipes.py).",
)
@click.option("--data", "data", multiple=True, metavar="NAME=DIR",
              help="Folder, repeatable, any of shen2016, ccp, nyu, backgrounds, folder (images/ with masks/, alpha/,"
              " hair/ or depths/; folder=DIR:3 is drawn 3 times as often); filter: pairs, held-out.")  # fmt: skip
@click.option("--held-out", "held_out", type=click.Path(path_type=Path), metavar="FILE",
              help="Ids never to train on, ID or SET/ID a line. [default: the last 15 % or so of a set]")  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), is_eager=True, expose_value=False, callback=use_config,
              metavar="RUN_OR_TOML", help="Options of another run; those given here count more.")  # fmt: skip
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
@click.option(
    "--init",
    type=click.Path(path_type=Path),
    help="Run or file to start from, or: shipped. Tensors it lacks begin anew.",
)
@click.option("--hard", multiple=True, type=click.Path(path_type=Path),
              help="Draw photos 3 times as often: a file of evaluate segmentation --worst N --json.")  # fmt: skip
@click.option("--leave-out", "left_out", multiple=True, type=click.Path(path_type=Path),
              help="Never draw photos of people: a file as of --hard. They stay in the training part.")  # fmt: skip
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
    held_out: Path | None,
    run: Path,
    resume: bool,
    encoder: Path | None,
    vgg: Path | None,
    perception: Path | None,
    init: Path | None,
    hard: tuple[Path, ...],
    left_out: tuple[Path, ...],
    device: str,
    patience: int | None,
    watch: str | None,
    smaller: bool,
    tensorboard: bool,
) -> None:
    """Train SUBJECT by a recipe. RUN gets run.toml, held_out.txt, log.jsonl, state.safetensors and weights.safetensors.

    In several processes, each with the recipe's batch: torchrun --nproc-per-node=2 -m portraiture.tools.cli train ...
    On several machines RUN and the datasets are on a disk that all of them share.
    """
    from portraiture.reference.errors import OptionError, unknown
    from portraiture.tools.training_data import hard_ids
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
            trainer = _trainer(
                subject,
                recipe,
                data,
                run,
                Sources(encoder, vgg, perception, init, hard_ids(hard), hard_ids(left_out, "--leave-out")),
                held_out,
            )
        _replace_stopping(trainer, patience, watch, smaller)
        trainer.scalars = tensorboard
        trainer.place(chosen)
        if distributed.is_main():
            if resume and (run / FILE).exists():
                check_data(run, trainer.data())
            else:
                run.mkdir(parents=True, exist_ok=True)
                write_config(run, click.get_current_context().params, trainer.data())
                _write_held_out(trainer.task, run / HELD_OUT)
        if resume:
            trainer.resume()
        result = trainer.fit()
        if not distributed.is_main():
            return
    if trainer.step < trainer.schedule.steps:
        click.echo(f"stopped at step {trainer.step} of {trainer.schedule.steps}: {trainer.schedule.watch} is no better")
    for name, value in result.items():
        click.echo(f"{name:24} {value:.4f}")
    _write_worst(trainer.task, run / WORST_SHEET)
    click.echo(f"weights: {run / 'weights.safetensors'}")
    click.echo(f"float16: {trainer.ship()}, the form that is shipped")
    if trainer.best is not None:
        click.echo(f"best:    {run / 'best.safetensors'} ({trainer.schedule.watch} {trainer.best:.4f})")


def _write_held_out(task: object, path: Path) -> None:
    """The photos that are never trained on, where people or rooms are."""
    from portraiture.training.tasks.people_and_rooms import PeopleAndRooms

    photos = getattr(task, "photos", None)
    if isinstance(photos, PeopleAndRooms):
        write_text(path, "".join(f"{identity}\n" for identity in photos.sets.held_out_ids()))


def _write_worst(task: object, path: Path) -> None:
    """Photo, truth and mask of the people whom the last validation found worst, where people are judged."""
    from portraiture.tools.evaluate.worst import row_of, write_rows
    from portraiture.training.tasks.people_and_rooms import PeopleAndRooms

    photos = getattr(task, "photos", None)
    if isinstance(photos, PeopleAndRooms) and photos.held_out.worst:
        write_rows(path, [row_of(f"{judged.iou:.3f} {judged.name}", judged.pair[..., :3], judged.pair[..., 3] / 255,
                                 judged.mask) for judged in photos.held_out.worst])  # fmt: skip
        click.echo(f"worst:   {path}: photo, truth, mask")
