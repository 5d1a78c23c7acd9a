"""``portraiture doctor``: how phones' devices take the files of a bundle."""

from pathlib import Path

import click

from portraiture.tools.choices import device_option


@click.command("doctor")
@click.argument("bundle", type=click.Path(path_type=Path))
@device_option
@click.option("--strict", is_flag=True, help="Exit 1 where a device does not take every operation of a file.")
@click.option("--json", "report", type=click.Path(path_type=Path), metavar="FILE", help="Write everything as JSON.")
def command(bundle: Path, devices: tuple[str, ...], strict: bool, report: Path | None) -> None:
    """Say of every file of BUNDLE how a GPU, Neural Engine, NPU or XNNPACK takes it, from public lists.

    A file is cut where a device does not take an operation: what crosses to the CPU and back costs time.
    """
    from portraiture.export.bundle.open import open_bundle
    from portraiture.export.doctor.devices.examine import Device, check_devices, devices_for, examine_for
    from portraiture.export.doctor.devices.summary import line
    from portraiture.reference.errors import GateError, OptionError
    from portraiture.reference.files import write_json
    from portraiture.tools.choices import parse_one
    from portraiture.tools.litter import note_litter
    from portraiture.tools.progress import steps
    from portraiture.tools.report.devices import print_verdicts
    from portraiture.tools.report.terminal import console

    if report is not None and report.is_dir():
        raise OptionError(f"--json: expected a file, found the folder {report}; name a file in it")
    asked = [parse_one("--device", name, Device) for name in devices]
    note_litter(bundle)
    files = open_bundle(bundle).files
    check_devices([f.target for f in files], asked)
    verdicts = []
    with steps("looking at") as say:
        for k, file in enumerate(files):
            say(file.path, k, len(files))
            verdicts += examine_for(bundle, file, devices_for(file.target, asked))
    print_verdicts(console(), verdicts)
    cut = [v for v in verdicts if not v.is_whole]
    click.echo(f"{len(verdicts) - len(cut)} of {len(verdicts)} whole")
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        write_json(report, [v.to_json() for v in verdicts])
    if strict and cut:
        raise GateError(f"{len(cut)} of {len(verdicts)} are not whole; the first, {line(cut[0])}")
