"""``portraiture export``: write a bundle and gate it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portraiture.tools.choices import device_option, network_option, weights_options

if TYPE_CHECKING:
    from portraiture.export.parity.rows import Row


@click.command("export")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Bundle folder to write.")
@click.option(
    "--target", "targets", default="tflite,coreml", show_default=True, help="Comma-separated; also onnx, coreai."
)
@click.option("--precision", "precisions",
              help="Comma-separated: fp32, fp16, int8, int8-static (tflite), palettized (coreml, coreai), plan."
              " [default: fp16, or plan with --plan]")  # fmt: skip
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), metavar="FILE",
              help="The precision of each layer, as portraiture sensitivity --budget wrote it.")  # fmt: skip
@click.option("--calibrate", "calibrate", type=click.Path(path_type=Path), metavar="DIR",
              help="Your photos, for int8-static; 64 of them are used, evenly spread.")  # fmt: skip
@click.option("--size", "sizes", multiple=True, metavar="HxW", help="Input size; repeatable. [default: 512x384]")
@click.option("--model", "models", multiple=True, help="Model; repeatable. [default: perception, filter, portrait]")
@click.option("--look", default="paper", show_default=True, metavar="paper|lens",
              help="What filter and portrait draw: the paper's (10), or a lens' blur in linear light.")  # fmt: skip
@click.option("--blades", type=click.IntRange(5, 9), help="Blades of the iris of --look lens. [default: a round one]")
@click.option("--packaging", default="single", show_default=True,
              help="single; shared: a file a target, TFLite signatures, Core ML iOS 18 functions; both.")  # fmt: skip
@click.option("--checkpoint", "perception", type=click.Path(path_type=Path), help="As --weights, of perception.")
@click.option("--filter-checkpoint", "rnn_filter", type=click.Path(path_type=Path), help="As --weights, of the filter.")
@weights_options
@network_option
@click.option(
    "--route", default="litert", show_default=True, metavar="litert|onnx-tf", help="What writes TFLite files."
)
@click.option("--kit", "kits", metavar="web,kotlin,swift", help="Sources for apps, beside the models.")
@click.option("--sign", "key", type=click.Path(path_type=Path), metavar="KEY", help="Private ed25519 key, a PEM file.")
@device_option
@click.option("--strict", is_flag=True, help="Refuse a file that a device does not take whole, in place of a warning.")
@click.option("--gate/--no-gate", default=True, show_default=True, help="Run the parity gate before it is in place.")
def command(
    output: Path,
    targets: str,
    precisions: str | None,
    plan_file: Path | None,
    calibrate: Path | None,
    sizes: tuple[str, ...],
    models: tuple[str, ...],
    look: str,
    blades: int | None,
    packaging: str,
    perception: Path | None,
    rnn_filter: Path | None,
    weights: tuple[Path, ...],
    which_text: str | None,
    own: str | None,
    route: str,
    kits: str | None,
    key: Path | None,
    devices: tuple[str, ...],
    strict: bool,
    gate: bool,
) -> None:
    """Write models, manifest, goldens and model card. The folder appears only when it is complete."""
    from portraiture.export.contract import DEFAULT_MODELS, DEFAULT_SIZE, FilterLook, Size, model_contract
    from portraiture.export.doctor.devices.examine import Device
    from portraiture.export.formats import Packaging, Precision, Route, Target
    from portraiture.export.kits.kit import Kit
    from portraiture.export.model_file import bytes_of
    from portraiture.export.networks.build import Checkpoints, Networks
    from portraiture.export.plan import read_plan
    from portraiture.export.writing.calibration import calibration_photos
    from portraiture.export.writing.export_bundle import export_bundle
    from portraiture.export.writing.planned import remarks
    from portraiture.export.writing.spec import BundleSpec
    from portraiture.reference.errors import OptionError
    from portraiture.tools.choices import parse_list, parse_one
    from portraiture.tools.progress import above_bars, note, steps
    from portraiture.tools.report.terminal import print_rows
    from portraiture.tools.weights_option import chosen_checkpoints

    for place in (output, *output.parents):
        if place.exists() and not place.is_dir():
            raise OptionError(f"-o: expected a folder, found the file {place}; name another place")
    drawn = parse_one("look", look, FilterLook)
    if blades is not None and drawn is FilterLook.PAPER:
        raise OptionError("--blades: expected --look lens with it, found paper; add it, or drop this")
    chosen = chosen_checkpoints(weights, which_text, perception, rnn_filter, own=own) or Checkpoints()
    if chosen.look is not drawn and chosen.filter != Checkpoints().filter:
        raise OptionError(
            f"--look {drawn.value}: expected weights of its filter, found those of {chosen.look.value}; change it, or"
            " drop the weights"
        )
    spec = BundleSpec(
        models=tuple(dict.fromkeys(model_contract(m).name for m in models)) or DEFAULT_MODELS,
        targets=parse_list("target", targets, Target),
        precisions=parse_list("precision", precisions or ("plan" if plan_file else "fp16"), Precision),
        plan=read_plan(plan_file) if plan_file else None,
        sizes=tuple(dict.fromkeys(Size.parse(s) for s in sizes)) or (DEFAULT_SIZE,),
        packaging=parse_one("packaging", packaging, Packaging),
        checkpoints=chosen.of_look(drawn, blades or 0),
        route=parse_one("route", route, Route),
        calibration=calibration_photos(calibrate) if calibrate else (),
        devices=tuple(parse_one("--device", name, Device) for name in devices),
        strict=strict,
        kits=parse_list("kit", kits, Kit) if kits else (),
    )

    def show(rows: "Sequence[Row]") -> None:
        with above_bars():
            print_rows(rows)

    for line in remarks(spec, Networks(spec.checkpoints)):
        note(line)

    with steps() as report:
        export = export_bundle(spec, output, gate, report, show, key=key)
    megabytes = bytes_of(output) / 1e6
    click.echo(f"{output}: {len(export.files)} models, {megabytes:.1f} MB")
