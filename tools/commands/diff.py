"""``portraiture diff``: what a new bundle changes, and whether it is worse than a team allows."""

from pathlib import Path

import click

from portraiture.tools.evaluate.subjects import DATASETS_OF

MASKED = tuple(name for name in DATASETS_OF["segmentation"] if name != "bsds500")
"""Data sets with masks of people."""


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--photo", "photos", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Run both on this photo; repeatable. [default: the bundled astronaut]")  # fmt: skip
@click.option("--allow", "rules", multiple=True, metavar="RULE",
              help="contract, removed, bytes=+5%, ops=+0, ms=+10%, psnr=45dB, iou=0.99 or quality=-0.01; repeatable."
              " [default: equal contract, no file removed, bytes=+5%, ops=+5%]")  # fmt: skip
@click.option("--dataset", type=click.Choice(MASKED), help="Compare the masks' IoU and boundary F on this data set.")
@click.option("--root", "data_root", type=click.Path(path_type=Path), metavar="DIR", help="Its top folder.")
@click.option("--split", type=click.Choice(("train", "validation", "all")), default="validation", show_default=True,
              help="Of the data set, as evaluate takes it.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Photos of the data set at most, spread evenly.")
@click.option("--time/--no-time", "timed", default=True, help="Time each pair of files. [default: --time]")
@click.option("--repeats", type=click.IntRange(1), default=9, show_default=True, help="Runs of each; medians count.")
@click.option("--all", "everything", is_flag=True, help="Print what is the same too.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every finding and every layer.")
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), help="Write JUnit XML.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="Write a page with both portraits.")
def command(
    old: Path, new: Path, photos: tuple[Path, ...], rules: tuple[str, ...], dataset: str | None, data_root: Path | None,
    split: str, limit: int | None, timed: bool, repeats: int, everything: bool, json_file: Path | None,
    junit_file: Path | None, html_file: Path | None,
) -> None:  # fmt: skip
    """Compare the bundle NEW with the bundle OLD, of any two releases: contract, files, weights, outputs, times, and
    the quality of masks on a data set.

    A line says what was found, the last one what is worse than --allow allows; then the exit code is 1.
    """
    from functools import partial

    from portraiture.export.bundle.allowed import parse_allowed
    from portraiture.export.bundle.any_release import open_any_release
    from portraiture.export.bundle.findings import Verdict, last_line, of, printable
    from portraiture.export.difference.run import compare_bundles
    from portraiture.export.networks.build import Networks
    from portraiture.export.pipeline.truth import Truth
    from portraiture.export.sample_photo import sample_photo
    from portraiture.reference.errors import GateError, OptionError
    from portraiture.reference.files import write_json, write_text
    from portraiture.reference.photo.read import read_photo
    from portraiture.tools.bench.difference import speed_finding
    from portraiture.tools.litter import note_litter
    from portraiture.tools.progress import steps
    from portraiture.tools.report.difference_html import DifferenceGallery, difference_html
    from portraiture.tools.report.difference_junit import difference_junit

    allowed = parse_allowed(rules)
    if "ms" in allowed.growth and not timed:
        raise OptionError("--allow ms: expected --time with it, found --no-time; drop either")
    if (dataset is None) != (data_root is None):
        raise OptionError("--dataset: expected --root DIR with it, and it with --root, found one; add the other")
    if dataset is None and (allowed.fall is not None or limit is not None):
        raise OptionError("--allow quality and --limit: expected --dataset NAME --root DIR with them; add it")
    judge = None
    if dataset is not None and data_root is not None:
        from portraiture.tools.evaluate.difference import quality_findings
        from portraiture.tools.evaluate.photos import Photos
        from portraiture.training.data.datasets import Split

        samples = Photos(dataset, data_root, Split(split), limit).samples()
        judge = partial(quality_findings, samples=samples, allowed=allowed)
    for root in dict.fromkeys((old, new)):
        note_litter(root)
    before, after = open_any_release(old), open_any_release(new)
    pictures = [read_photo(p) for p in photos] or [sample_photo()]
    names = [p.name for p in photos] or ["astronaut"]
    truth, gallery = Truth(Networks()), DifferenceGallery()
    measure = partial(speed_finding, truth=truth, photo=pictures[0], repeats=repeats, allowed=allowed)
    with steps("comparing") as report:
        found = compare_bundles(
            before, after, allowed, truth, pictures, measure if timed else None, judge, report, gallery.watch
        )
    shown = [f for f in found.findings if everything or f.verdict is not Verdict.SAME]
    for finding in sorted(shown, key=lambda f: f.verdict is Verdict.WORSE):
        click.echo(printable(str(finding)))
    for file in (json_file, junit_file, html_file):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
    said = printable(last_line(found.findings))
    if json_file is not None:
        layers = {name: [c.to_json() for c in changes] for name, changes in found.layers.items()}
        write_json(json_file, {"old": str(old), "new": str(new), "allow": list(rules), "result": said,
                               "findings": [f.to_json() for f in found.findings], "layers": layers})  # fmt: skip
    if junit_file is not None:
        write_text(junit_file, difference_junit(f"{old} and {new}", found.findings))
    if html_file is not None:
        write_text(html_file, difference_html(before, after, found, gallery, names))
    if of(Verdict.WORSE, found.findings):
        raise GateError(f"{said}; correct the new bundle, or --allow what is meant")
    click.echo(said)
