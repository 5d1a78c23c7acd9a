"""``portraiture pairs``: what the CRF reference makes of many photos, for training and judging the RNN filter."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from portraiture.tools.choices import weights_options

if TYPE_CHECKING:
    from portraiture.training.checkpoints.read import Which
    from portraiture.training.rendered.jobs import PairJob
    from portraiture.training.rendered.options import PairOptions


DATASETS = ("shen2016", "ccp")

SPLITS = ("train", "validation", "all")

COMPOSITING = ("paper", "occlusion")

SHARED_MAPS = "STEM_mask.png and STEM_depth.npy"


@click.command("pairs")
@click.option("--photos", required=True, type=click.Path(path_type=Path),
              help="Folder of photos; with --dataset, the dataset's top folder.")  # fmt: skip
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the pairs.")
@click.option("--dataset", type=click.Choice(DATASETS), help="Layout of --photos; its labels are the true masks.")
@click.option("--split", type=click.Choice(SPLITS), default="train", show_default=True,
              help="Part of --dataset; the filter is judged on validation.")  # fmt: skip
@click.option("--masks", type=click.Path(path_type=Path), help="Folder of true masks, STEM.png or STEM.mat.")
@click.option("--true-share", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="Share of the photos with a true mask that take it instead of the predicted one.")  # fmt: skip
@click.option("--maps", type=click.Path(path_type=Path),
              help=f"Folder of {SHARED_MAPS}, as predict writes them. [default: the network predicts]")  # fmt: skip
@click.option("--perception", type=click.Path(path_type=Path), help="As --weights.")
@weights_options
@click.option(
    "--size", default="512x384", show_default=True, metavar="HxW", help="Height and width of the pairs in pixels."
)
@click.option("--settings", type=click.IntRange(1, 64), default=4, show_default=True,
              help="Apertures and focus depths drawn per photo; the first is always the paper's.")  # fmt: skip
@click.option("--grid", is_flag=True, help="Instead of drawn settings: the paper's, and 4 apertures x 3 focus depths.")
@click.option("--compositing", type=click.Choice(COMPOSITING), default="paper", show_default=True,
              help="The look that the reference draws: occlusion for the filter of export --look lens.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all draws.")
@click.option("--limit", type=click.IntRange(1), help="Use at most this many photos, spread evenly over all of them.")
@click.option("--workers", type=click.IntRange(1), help="Processes. [default: one per core]")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Dask scheduler whose workers render instead.")
def command(
    photos: Path,
    output: Path,
    dataset: str | None,
    split: str,
    masks: Path | None,
    true_share: float,
    maps: Path | None,
    perception: Path | None,
    weights: tuple[Path, ...],
    which_text: str | None,
    size: str,
    settings: int,
    grid: bool,
    compositing: str,
    seed: int,
    limit: int | None,
    workers: int | None,
    scheduler: str | None,
) -> None:
    """Render pairs: photo, mask, depth, and the reference's pictures at several apertures and focus depths.

    A pair that exists is skipped, so that a run that was stopped goes on where it was. A photo that fails does not
    stop the others; it is listed at the end, and the command ends with 2.
    """
    import os

    from portraiture.reference.errors import OptionError
    from portraiture.reference.photo.folder import spread
    from portraiture.tools.batch import Failures
    from portraiture.tools.progress import bar
    from portraiture.tools.weights_option import chosen_checkpoints
    from portraiture.training.rendered.files import remove_stale
    from portraiture.training.rendered.jobs import JobStatus, make_pair, unfinished
    from portraiture.training.rendered.jobs import weights_digest as digest
    from portraiture.training.rendered.options import MapSource, PairOptions, claim
    from portraiture.training.rendered.workers import over_dask, over_processes
    from portraiture.training.weights import SHIPPED_PERCEPTION

    if dataset is not None and masks is not None:
        raise OptionError("--masks: expected no --dataset with it, found both; drop it, labels are masks")
    if maps is not None and (perception is not None or weights):
        raise OptionError("--weights: expected no --maps with it, found both; drop one, maps are given or predicted")
    if scheduler is not None and workers is not None:
        raise OptionError("--workers: expected no --scheduler with it, found both; drop it and start Dask's own")
    height, width = _parse_size(size)
    chosen = chosen_checkpoints(weights, which_text, perception, networks=("MobilePerception",))
    network = (SHIPPED_PERCEPTION if chosen is None else chosen.perception).resolve()
    which = None if chosen is None else chosen.which
    origin = digest(network, which) if maps is None else MapSource.FILES.value
    options = PairOptions(height, width, 0 if grid else settings, true_share, seed, origin, compositing)
    jobs = spread(_jobs(photos, dataset, split, masks, maps, (network, which), output.resolve(), options), limit)
    claim(output, options)
    remove_stale(output)
    todo = unfinished(jobs)
    count = workers or os.cpu_count() or 1
    results = over_dask(make_pair, todo, scheduler) if scheduler else over_processes(make_pair, todo, count)
    found = dict.fromkeys(JobStatus, 0)
    photo_of = {job.name: job.photo for job in jobs}
    failures = Failures(list(photo_of.values()))
    with bar(len(jobs), "photo", "pairs", done=len(jobs) - len(todo)) as progress:
        for outcome in results:
            found[outcome.status] += 1
            if outcome.status is JobStatus.FAILED:
                failures.add(photo_of[outcome.name], outcome.message)
            progress.update()
    click.echo(
        f"{output}: {found[JobStatus.WRITTEN]} pairs written, {len(jobs) - len(todo)} were there,"
        f" {found[JobStatus.NO_PERSON]} photos show no person"
    )
    failures.end()


def _parse_size(text: str) -> tuple[int, int]:
    from portraiture.reference.errors import OptionError

    parts = text.lower().split("x")
    if len(parts) != 2 or not all(p.isdigit() and 32 <= int(p) <= 4096 for p in parts):
        raise OptionError(f"--size: expected HxW of 32 to 4096, found {text!r}; give one such as 512x384")
    return int(parts[0]), int(parts[1])


def _jobs(
    photos: Path,
    dataset: str | None,
    split: str,
    masks: Path | None,
    maps: Path | None,
    network: "tuple[Path, Which | None]",
    output: Path,
    options: "PairOptions",
) -> "list[PairJob]":
    """Photos with their labels and maps, absolute: a worker may stand in another folder."""
    from portraiture.reference.errors import InputError
    from portraiture.reference.photo.folder import photos_in
    from portraiture.tools.choices import stem_outputs
    from portraiture.training.data.datasets import Split, list_samples
    from portraiture.training.rendered.jobs import PairJob

    if dataset is not None:
        samples = list_samples(dataset, photos, Split(split))
        files: list[tuple[Path, Path | None]] = [(s.photo, s.label) for s in samples]
    else:
        found = photos_in(photos, "--photos")
        stem_outputs(found)
        files = [(photo, _mask_of(photo, masks)) for photo in found]
    jobs, absent = [], list[Path]()
    weights, which = network
    for photo, mask in files:
        pair_maps = None
        if maps is not None:
            pair_maps = (maps / f"{photo.stem}_mask.png").resolve(), (maps / f"{photo.stem}_depth.npy").resolve()
            absent += [p for p in pair_maps if not p.is_file()][:1]
        name = f"{dataset or 'photo'}_{photo.stem}"
        label = None if mask is None else mask.resolve()
        jobs.append(PairJob(name, photo.resolve(), label, pair_maps, weights, output, options, which))
    if absent and len(absent) == len(jobs):  # of some photos only, each of them fails by itself
        raise InputError(f"--maps: expected {absent[0]}, found none; write it with portraiture predict")
    return jobs


def _mask_of(photo: Path, masks: Path | None) -> Path | None:
    """The photo's true mask; a photo without one takes the predicted mask."""
    if masks is None:
        return None
    found = [path for path in (masks / f"{photo.stem}.png", masks / f"{photo.stem}.mat") if path.is_file()]
    return found[0] if found else None
