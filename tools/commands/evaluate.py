"""``portraiture evaluate``: quality figures on a dataset, the same for every runtime."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portraiture.tools.choices import network_option, runtime_options, which_option
from portraiture.tools.evaluate.subjects import DATASETS_OF, METHODS, check_options

if TYPE_CHECKING:
    from portraiture.export.pipeline.pipeline import Pipeline
    from portraiture.tools.evaluate.photos import Photos


SCENES = 16
"""Scenes of ``evaluate render`` where no number is given; chosen, a minute of work, not measured."""

DATASETS = tuple(dict.fromkeys(name for names in DATASETS_OF.values() for name in names))


def _print_pairs(
    root: Path,
    limit: int | None,
    compare: bool,
    weights: tuple[str, ...],
    which_text: str | None,
    runtime: tuple[str, Path | None, str | None],
    json_file: Path | None,
) -> None:
    """Filters on rendered pairs: a table, or one filter's figures."""
    from portraiture.reference.errors import OptionError
    from portraiture.tools.evaluate.compare import markdown
    from portraiture.tools.evaluate.pairs import compare_on_pairs, from_weights, pair_figures, shipped
    from portraiture.tools.open_pipeline import runtime_label
    from portraiture.tools.weights_option import parse_which
    from portraiture.training.rendered.options import are_of_lens

    heading = {"subject": "filter", "dataset": "pairs", "runtime": runtime_label(runtime[0])}
    which, own = parse_which(which_text), weights and not compare
    if own and len(weights) > 1:
        raise OptionError(f"--weights: expected one filter to judge, found {len(weights)}; add --compare for a table")
    draw = from_weights(Path(weights[-1]), which) if own else shipped(*runtime, of_lens=are_of_lens(root))
    if compare:
        rows = compare_on_pairs(root, draw, weights, limit, which)
        click.echo(markdown(rows))
        _write(json_file, {**heading, "rows": [row.as_json() for row in rows]})
        return
    figures = {**heading, **pair_figures(root, {"filter": draw}, limit)["filter"]}
    _print_figures(figures)
    _write(json_file, figures)


def _print_figures(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        if name not in ("worst", "by_photo"):
            click.echo(f"{name:22} {value:.4f}" if isinstance(value, float) else f"{name:22} {value}")
    for place in figures.get("worst", ()):
        click.echo(f"worst {place['id']:16} {place['iou']:.4f}")
    for place in figures.get("by_photo", ()):
        rim = "nearer" if place["rim_nearer"] else "not nearer"
        click.echo(f"photo {place['id']:16} contact {place['contact']:.3f}, lower rim {rim}")


def _write(json_file: Path | None, figures: dict[str, Any]) -> None:
    from portraiture.reference.files import write_json

    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, figures)


def _compare(
    subject: str,
    photos: "Photos",
    open_shipped: "Callable[[], Pipeline]",
    weights: tuple[str, ...],
    which_text: str | None,
) -> dict[str, Any]:
    """Print the table; returns ``rows``."""
    from portraiture.tools.evaluate.compare import compare_filters, compare_networks, markdown
    from portraiture.tools.weights_option import parse_which

    which = parse_which(which_text)
    if subject == "filter":
        rows = compare_filters(photos, open_shipped, weights, which)
    else:
        rows = compare_networks(subject, photos, open_shipped, weights, which)
    click.echo(markdown(rows))
    return {"rows": [row.as_json() for row in rows]}


@click.command("evaluate")
@click.argument("subject", type=click.Choice(tuple(DATASETS_OF)))
@click.option("--dataset", required=True, type=click.Choice(DATASETS), help="Layout of the folder.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Top folder of the dataset, of all datasets for simulated-photos; none for simulated.",
)
@click.option("--split", type=click.Choice(("train", "validation", "all")), default="validation", show_default=True,
              help="Validation is the last 15 % of the sorted ids, without near-duplicates of others.")  # fmt: skip
@click.option("--held-out", "held_out", type=click.Path(path_type=Path), metavar="FILE",
              help="Ids that training held out. [default: those of --weights RUN; else the last 15 %]")  # fmt: skip
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=None,
    help="Use at most this many photos, spread evenly over the split.",
)
@click.option("--scenes", type=click.IntRange(1), help=f"Number of scenes of evaluate render. [default: {SCENES}]")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
@click.option("--method", type=click.Choice(METHODS), default="network", show_default=True,
              help="What makes the masks of evaluate segmentation.")  # fmt: skip
@click.option("--compare", is_flag=True, help="Markdown table of methods side by side, as the paper's tables 1 and 2.")
@click.option(
    "--weights",
    multiple=True,
    metavar="RUN_OR_FILE",
    help="What is judged in place of the shipped weights. With --compare NAME=RUN_OR_FILE, a row of its own, also of a"
    " folder of masks that another program wrote. Repeatable.",
)
@which_option
@click.option("--worst", type=click.IntRange(1), metavar="N", help="List the N photos with the worst masks.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Contact sheet (PNG) of evaluate render, or of --worst.")
@runtime_options
@network_option
def command(
    subject: str,
    dataset: str,
    root: Path | None,
    split: str,
    held_out: Path | None,
    limit: int | None,
    scenes: int | None,
    json_file: Path | None,
    method: str,
    compare: bool,
    weights: tuple[str, ...],
    which_text: str | None,
    worst: int | None,
    sheet: Path | None,
    runtime: str,
    bundle: Path | None,
    precision: str | None,
    own: str | None,
) -> None:
    """Print quality figures of masks, depth, the RNN filter (against the CRF) or the renderers (against a lens).

    Ground is the depth at the feet of people who stand in the photo: beside them it is as far as they are (0 of the way
    to the far background), at the lower rim nearer. Crowd pastes people of other photos beside each person, and counts
    whom the mask keeps. Refine gives segmentation_spn the true masks made small and wrong at the outline, as those of
    an app's own network are (_coarse), and judges what comes back. Matte has the benchmark's four errors in a band of
    10 pixels around the outline, against closed-form matting of the true mask: of the curve of the mask that an app
    takes, of the mask alone (_mask), and of the reference's matting of it (_solved).

    A filter is judged on people as render writes them at the paper setting, by mode, with --compare at the model's
    size; or on the folder that portraiture pairs wrote (--dataset pairs).
    Depth is judged on pairs of nyu, diw and a folder with depths/, and on bodies where there are masks. Segmentation
    on bsds500 measures what is found in its photos without people, on a folder with hair/ alone how much of the hair.
    """
    from portraiture.reference.errors import OptionError

    check_options(subject, dataset, method, compare, weights, which_text is not None, runtime, worst, sheet is not None)
    if own is not None and (compare or weights or subject in ("filter", "refine", "render")):
        raise OptionError(
            "--network: expected evaluate segmentation, depth, ground, crowd or matte, without --compare and --weights,"
            f" found {subject}{' with them' * (compare or bool(weights))}; drop it or them"
        )
    if subject == "render":
        from portraiture.tools.evaluate.render_tables import bokeh_table, scenes_table

        if dataset == "bokeh" and (weights or sheet or scenes):
            raise OptionError(
                "--dataset bokeh: expected --root and --limit alone, found --weights, --sheet or --scenes; drop it"
            )
        if dataset == "bokeh":
            text, found = bokeh_table(root, limit)
        else:
            text, found = scenes_table(dataset, root, scenes or limit or SCENES, sheet, weights, which_text)
        click.echo(text)
        _write(json_file, {"subject": "render", "dataset": dataset, **found})
        return
    from portraiture.tools.evaluate.figures_of import measured, own_predictor
    from portraiture.tools.evaluate.photos import Photos
    from portraiture.tools.open_pipeline import open_pipeline, runtime_label
    from portraiture.tools.progress import note
    from portraiture.tools.training_data import held_out_by_run, held_out_ids
    from portraiture.tools.weights_option import parse_which
    from portraiture.training.data.datasets import Split

    if root is None:
        raise OptionError(f"--root: expected the top folder of {dataset}, found none; add --root DIR")
    if dataset == "pairs":
        _print_pairs(root, limit, compare, weights, which_text, (runtime, bundle, precision), json_file)
        return
    if held_out is None and not compare and (held_out := held_out_by_run(weights)) is not None:
        note(f"held out: as {held_out} says")
    photos = Photos(dataset, root, Split(split), limit, held_out_ids(held_out))
    heading = {
        "subject": subject,
        "dataset": dataset,
        "split": split,
        "runtime": runtime_label(runtime),
        "method": method,
    }
    of_pipeline = subject in ("filter", "refine") and not compare
    own_files = [Path(w) for w in weights] if of_pipeline else []
    own_which = which_text if own_files else None

    def opened() -> "Pipeline":
        return open_pipeline(runtime, bundle, precision, own_files, own_which, own=own)

    if compare:
        del heading["method"]
        rows = _compare(subject, photos, opened, weights, which_text)
        _write(json_file, {**heading, **rows})
        return
    judged = None if of_pipeline else own_predictor(weights, parse_which(which_text))
    figures = measured(subject, photos, opened, method, judged, worst, sheet)
    _print_figures({**heading, **figures})
    _write(json_file, {**heading, **figures})
