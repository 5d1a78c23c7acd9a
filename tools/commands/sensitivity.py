"""``portraiture sensitivity``: how small each layer may be stored, and the smallest plan that holds a budget."""

import re
from pathlib import Path

import click

from portraiture.tools.choices import network_option, weights_options


def parse_budget(text: str) -> float:
    """``45dB`` or ``45`` -> 45.0.

    Raises:
        OptionError: of another form, or not above 0.
    """
    from portraiture.reference.errors import OptionError

    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*(?:dB)?", text.strip(), re.ASCII | re.IGNORECASE)
    if not found or not 0 < float(found[1]) <= 200:
        raise OptionError(f"--budget: expected decibels such as 45dB, found {text!r}; write a number from 1 to 200")
    return float(found[1])


@click.command("sensitivity")
@click.option("--target", "targets", default="tflite,coreml,onnx", show_default=True,
              help="Formats that the plan is for; it must hold in each.")  # fmt: skip
@click.option("--size", default="512x384", show_default=True, metavar="HxW", help="Input size that is measured.")
@click.option("--photos", type=click.Path(path_type=Path), metavar="DIR",
              help="Measure on these beside the astronaut. [default: the astronaut, nearer, and darker]")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=4, show_default=True, help="Of --photos, spread evenly.")
@click.option("--kinds", "kind_names", default="int8,palette8,palette6,palette4", show_default=True,
              help="What a layer may become beside fp16; also int8-dynamic.")  # fmt: skip
@click.option("--budget", metavar="45dB", help="Find the smallest plan of which every output holds this PSNR.")
@click.option(
    "--write", "plan_file", type=click.Path(path_type=Path), metavar="FILE", help="Where the plan is written."
)
@click.option("--picture", type=click.Path(path_type=Path), metavar="FILE", help="Write the table as a PNG.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every figure of every layer.")
@weights_options
@network_option
def command(
    targets: str, size: str, photos: Path | None, limit: int, kind_names: str, budget: str | None,
    plan_file: Path | None, picture: Path | None, json_file: Path | None, weights: tuple[Path, ...],
    which_text: str | None, own: str | None,
) -> None:  # fmt: skip
    """Store one layer after the other smaller, and say how far mask, depth and portrait move.

    With --budget the smallest plan that holds it is searched; export --plan FILE carries it out.
    """
    from portraiture.export.contract import Size
    from portraiture.export.formats import PRECISIONS, Precision, Target
    from portraiture.export.networks.build import Networks
    from portraiture.export.networks.digests import digests
    from portraiture.export.pipeline.truth import Truth
    from portraiture.export.plan import Kind
    from portraiture.export.sensitivity.measure import Sensitivity
    from portraiture.export.sensitivity.photos import photos_for
    from portraiture.export.sensitivity.plan_file import plan_text, write_plan
    from portraiture.export.sensitivity.search import search
    from portraiture.reference.errors import OptionError
    from portraiture.reference.files import write_json
    from portraiture.reference.photo.folder import photos_in, spread
    from portraiture.reference.photo.read import read_photo
    from portraiture.tools.choices import parse_list
    from portraiture.tools.progress import steps
    from portraiture.tools.report.sensitivity import plan_lines, print_effects, to_json
    from portraiture.tools.report.sensitivity_picture import write_picture
    from portraiture.tools.weights_option import chosen_checkpoints

    if (budget is None) != (plan_file is None):
        raise OptionError("--budget: expected --write FILE with it, and it with --write, found one; add the other")
    budget_db = None if budget is None else parse_budget(budget)
    formats, kinds = parse_list("--target", targets, Target), parse_list("--kinds", kind_names, Kind)
    if lacking := [t.value for t in formats if Precision.PLAN not in PRECISIONS[t]]:
        raise OptionError(f"--target: expected formats that plans are for, found {', '.join(lacking)}; drop it")
    chosen = [] if photos is None else [read_photo(p) for p in spread(photos_in(photos, "--photos"), limit)]
    truth = Truth(Networks(chosen_checkpoints(weights, which_text, own=own)))
    seen = photos_for(chosen)
    with steps("measuring") as report:
        report("photos", 0, 1)
        found = Sensitivity(truth, Size.parse(size), seen, formats)
        effects = found.effects(report)
    with steps("trying") as report:
        plan = None if budget_db is None else search(found, effects, budget_db, kinds, report)
    chosen_kinds = {} if plan is None else plan.kinds
    print_effects(found, effects, chosen_kinds)
    for file in (picture, json_file):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
    if picture is not None:
        write_picture(picture, found, effects, chosen_kinds, budget_db)
    if json_file is not None:
        write_json(json_file, to_json(found, effects, plan))
    if plan is not None and plan_file is not None and budget_db is not None:
        write_plan(plan_file, plan_text(plan, effects, budget_db, digests(truth.networks), Size.parse(size), len(seen)))
        for line in plan_lines(plan_file, plan):
            click.echo(line)
