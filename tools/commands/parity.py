"""``portraiture parity``: the gate, on the goldens or on photos."""

from pathlib import Path
from typing import Any

import click

from portraiture.tools.choices import network_option, weights_options


@click.command("parity")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--photos", type=click.Path(path_type=Path), help="Folder of photos. [default: the bundled astronaut]")
@click.option("--limit", type=click.IntRange(1), help="Use at most this many photos, spread evenly over the folder.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for parity.json, parity.xml (JUnit) and report.html.",
)
@click.option("--checkpoint", "perception", type=click.Path(path_type=Path), help="As --weights, of perception.")
@click.option("--filter-checkpoint", "rnn_filter", type=click.Path(path_type=Path), help="As --weights, of the filter.")
@weights_options
@network_option
@click.option("--device-results", "device", type=click.Path(path_type=Path), metavar="DIR",
              help="Judge what an app wrote, as goldens/index.json says, and run nothing here.")  # fmt: skip
@click.option(
    "--allow-missing",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="Results that a device may lack, such as 'coreml/*'; repeatable. Others that are missing fail.",
)
@click.option("--key", type=click.Path(path_type=Path), metavar="KEY",
              help="Public ed25519 key, a PEM file: refuse a bundle without a signature by it.")  # fmt: skip
@click.option("--compare", "earlier", type=click.Path(path_type=Path), metavar="REPORT",
              help="An earlier report's folder: say which rows are worse than they were.")  # fmt: skip
@click.option("--times", is_flag=True, help="Also time each file beside MobileNetV2, and its memory; adds times.json.")
@click.option("--core-ai/--no-core-ai", "second", default=True, show_default=True,
              help="Hold fp16 of Core ML to Apple's Core AI, if portraiture[coreai] is there; minutes.")  # fmt: skip
@click.option("--locate", is_flag=True, help="Say why a file fails: the cause, or the first layer that diverges.")
def command(
    bundle: Path, photos: Path | None, limit: int | None, output: Path | None, perception: Path | None,
    rnn_filter: Path | None, weights: tuple[Path, ...], which_text: str | None, own: str | None,
    device: Path | None, allowed: tuple[str, ...], key: Path | None, earlier: Path | None, times: bool, second: bool,
    locate: bool,
) -> None:  # fmt: skip
    """Compare every file of BUNDLE with PyTorch float64, the filter with the CRF reference, and whole pipelines.

    The report shows some of the photos through every runtime; it is one file and needs no network.
    """
    from portraiture.export.bundle.signature import check_signature
    from portraiture.export.diagnosis.explain import explain
    from portraiture.export.networks.build import Networks
    from portraiture.export.parity.device import device_rows
    from portraiture.export.parity.rows import Link, Row, first_failure
    from portraiture.export.parity.run import run_parity
    from portraiture.export.pipeline.truth import Truth
    from portraiture.export.sample_photo import sample_photo
    from portraiture.reference.errors import GateError, InputError, OptionError
    from portraiture.reference.files import write_json, write_text
    from portraiture.reference.photo.folder import photos_in, spread
    from portraiture.reference.photo.read import read_photo
    from portraiture.tools.litter import note_litter
    from portraiture.tools.progress import steps
    from portraiture.tools.report.before import read_before
    from portraiture.tools.report.costs import print_costs
    from portraiture.tools.report.gallery import Gallery
    from portraiture.tools.report.html import html_report
    from portraiture.tools.report.junit import junit_xml
    from portraiture.tools.report.terminal import failed, print_rows
    from portraiture.tools.weights_option import chosen_checkpoints

    if output is not None and output.exists() and not output.is_dir():
        raise OptionError(f"-o: expected a folder, found the file {output}; name another place")
    if device is not None and (photos or perception or rnn_filter or weights or own or locate or times):
        raise OptionError(
            "--device-results: expected no --photos, weights, --times or --locate with it, found one; drop it, goldens"
            " are fixed"
        )
    if allowed and device is None:
        raise OptionError("--allow-missing: expected --device-results with it, found none; drop it")
    before = None if earlier is None else read_before(earlier)
    note_litter(bundle)
    if key is not None:
        check_signature(bundle, key)
    pictures = {"astronaut": sample_photo()}
    if photos is not None:
        pictures = {p.name: read_photo(p) for p in spread(photos_in(photos, "--photos"), limit)}
    truth = Truth(Networks(chosen_checkpoints(weights, which_text, perception, rnn_filter, own=own)))
    gallery, costs = Gallery(), list[dict[str, Any]]()

    def write_report(rows: list[Row]) -> None:
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            write_json(output / "parity.json", [r.to_json(list(pictures)) for r in rows])
            write_text(output / "parity.xml", junit_xml(bundle, rows))
            write_text(output / "report.html", html_report(bundle, rows, gallery, pictures, before, costs))
            if costs:
                write_json(output / "times.json", costs)

    try:
        if device is not None:
            rows = device_rows(bundle, device, gallery.watch, allowed)
        else:
            with steps("checking") as report:
                rows = run_parity(bundle, pictures.values(), truth, report, gallery.watch, second=second)
            if locate:
                rows = explain(bundle, rows, truth, list(pictures.values()))
    except InputError as error:  # an older report must not stand for this run
        write_report([Row.failed(Link.FILE if device is None else Link.DEVICE, "bundle", str(error))])
        raise
    print_rows(rows)
    if before is not None:
        click.echo(before.line(rows))
    if times:
        from portraiture.tools.bench.files import measured_costs

        costs += measured_costs(bundle)
        print_costs(costs)
    write_report(rows)
    if output is not None:
        click.echo(f"{output / 'report.html'}")
    if failed(rows):
        more = "; correct that and export again" if locate else "; --locate says why"
        if device is not None:
            more = "; compare what the app gives the model with manifest.json"
        raise GateError(f"{failed(rows)} of {len(rows)} parity rows failed; {first_failure(rows)}{more}")
