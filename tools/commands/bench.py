"""``portraiture bench``: times on this machine; ratios within one run are what counts."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portraiture.tools.choices import network_option, weights_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portraiture.export.networks.build import Checkpoints

SUBJECTS = ("reference", "runtime", "export")


@click.command("bench")
@click.argument("subject", type=click.Choice(SUBJECTS))
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True,
              help="Runs of each: the best counts of a stage, the median of a model or a render.")  # fmt: skip
@click.option("--megapixels", type=click.FloatRange(0, 64), default=12.0, show_default=True,
              help="reference, runtime: render a photo of this size as well; 0 leaves it out.")  # fmt: skip
@click.option("--bundle", type=click.Path(path_type=Path),
              help="runtime: time its TFLite files. [default: the shipped models, exported for it]")  # fmt: skip
@click.option("--threads", type=click.IntRange(1),
              help="runtime, export: threads of a TFLite file. [default: of portraiture --threads, or 2]")  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the times here.")
@weights_options
@network_option
def command(
    subject: str,
    repeats: int,
    megapixels: float,
    bundle: Path | None,
    threads: int | None,
    json_file: Path | None,
    weights: tuple[Path, ...],
    which_text: str | None,
    own: str | None,
) -> None:
    """Time the CRF reference beside a plain implementation, TFLite files beside MobileNetV2, or a whole export.

    The reference's last table is a portrait by each renderer alone, and beside a busy program on every core.
    """
    from portraiture.export.runner import file_threads
    from portraiture.reference.errors import OptionError
    from portraiture.reference.files import write_json
    from portraiture.tools.weights_option import chosen_checkpoints

    if subject != "runtime" and bundle is not None:
        raise OptionError(f"bench {subject} --bundle: expected no bundle, found {bundle}; drop it")
    if bundle is not None and (weights or own):
        option = "--weights" if weights else "--network"
        raise OptionError(f"bench {option}: expected no --bundle with it, found {bundle}; drop one")
    if subject == "reference" and own:
        raise OptionError("bench reference: expected no --network with it, found one; drop it")
    threads = threads or file_threads()
    checkpoints = None if subject == "reference" else chosen_checkpoints(weights, which_text, own=own)
    if subject == "runtime":
        with tempfile.TemporaryDirectory() as folder:
            timed = bundle or _own_bundle(Path(folder) / "bundle", checkpoints)
            figures = _runtime(timed, threads, repeats, megapixels)
    elif subject == "export":
        figures = _export(threads, repeats, checkpoints)
    else:
        figures = _reference(repeats, megapixels, weights, which_text)
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, {"subject": subject, **figures})


def _own_bundle(root: Path, checkpoints: "Checkpoints | None") -> Path:
    """The default models as TFLite in fp32 and fp16, exported for this run alone."""
    from portraiture.export.formats import Precision, Target
    from portraiture.export.networks.build import Checkpoints
    from portraiture.export.writing.export_bundle import export_bundle
    from portraiture.export.writing.spec import BundleSpec
    from portraiture.tools.progress import steps

    spec = BundleSpec(targets=(Target.TFLITE,), precisions=(Precision.FP32, Precision.FP16),
                      checkpoints=checkpoints or Checkpoints())  # fmt: skip
    with steps() as report:
        export_bundle(spec, root, gate=False, report=report)
    return root


def _runtime(bundle: Path, threads: int, repeats: int, megapixels: float) -> dict[str, object]:
    from dataclasses import asdict

    from rich.table import Column, Table

    from portraiture.tools.bench.render import bench_render
    from portraiture.tools.bench.runtime import bench_runtime
    from portraiture.tools.report.terminal import console

    times = bench_runtime(bundle, threads, repeats)
    table = Table(Column("file", overflow="fold"), "size", "threads", "ms", "times MobileNetV2")
    for t in times:
        table.add_row(t.file, t.size, str(t.threads), f"{t.ms:.1f}", f"{t.ratio:.1f}")
    console().print(table)
    if not megapixels:
        return {"times": [asdict(t) for t in times]}
    found = bench_render(bundle, repeats, megapixels)
    click.echo(f"filter {found.size}: {found.filter_ms:.1f} ms, CRF reference {found.reference_ms:.0f} ms,"
               f" {found.ratio:.1f} times as long")  # fmt: skip
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in found.stages_s.items())
    click.echo(f"{found.megapixels:g} MP, file to file: {found.end_to_end_s:.2f} s ({stages}),"
               f" {found.psnr_db:.1f} dB to the CRF reference")  # fmt: skip
    return {"times": [asdict(t) for t in times], "render": asdict(found)}


def _export(threads: int, repeats: int, checkpoints: "Checkpoints | None") -> dict[str, object]:
    from dataclasses import asdict

    from portraiture.tools.bench.export import bench_export

    figures = asdict(bench_export(threads, repeats, checkpoints))
    for name, value in figures.items():
        click.echo(f"{name:18} {value:.1f}" if isinstance(value, float) else f"{name:18} {value}")
    return figures


def _reference(repeats: int, megapixels: float, weights: "Sequence[Path]", which_text: str | None) -> dict[str, object]:
    """Stage by stage at 500x300 on the bundled astronaut, and portraits of it at 512x512 alone and under load."""
    from dataclasses import asdict

    import cv2
    import numpy as np
    from rich.table import Table

    from portraiture.export.sample_photo import sample_photo
    from portraiture.tools.bench.load import GOAL, bench_under_load, portrait
    from portraiture.tools.bench.reference import SIZE, bench_large, bench_reference
    from portraiture.tools.open_pipeline import open_pipeline
    from portraiture.tools.report.terminal import console

    height, width = SIZE
    photo = cv2.resize(sample_photo()[:, 60:367], (width, height), interpolation=cv2.INTER_AREA)
    pipeline = open_pipeline("torch", None, None, weights, which_text)
    maps = pipeline.perceive(photo)
    mask, depth = maps.mask.astype(np.float64), maps.depth.astype(np.float64)
    stages = bench_reference(photo / 255.0, mask, depth, repeats)
    table = Table("stage", "ours s", "plain s", "plain / ours")
    for s in stages:
        plain, ratio = ("-", "-") if s.plain_s is None else (f"{s.plain_s:.3f}", f"{s.plain_s / s.ours_s:.1f}")
        table.add_row(s.stage, f"{s.ours_s:.3f}", plain, ratio)
    console().print(table)
    large = bench_large(photo, mask, depth, megapixels) if megapixels else []
    if large:
        table = Table("large photo", "compositing", "s", "peak GiB")
        for t in large:
            table.add_row(f"{t.megapixels:g} MP, {t.mode}", t.compositing, f"{t.seconds:.1f}", f"{t.peak_gib:.2f}")
        console().print(table)
    whole = sample_photo()
    loads = bench_under_load(
        {"RNN filter": lambda: portrait(pipeline, whole, "rnn"), "CRF": lambda: portrait(pipeline, whole, "crf")},
        repeats,
    )
    table = Table("portrait by", "alone s", "every core busy s", "times as long", "goal: at most")
    for load in loads:
        table.add_row(load.render, f"{load.alone_s:.2f}", f"{load.busy_s:.2f}", f"{load.ratio:.1f}", f"{GOAL:.1f}")
    console().print(table)
    return {
        "size": f"{height}x{width}",
        "stages": [asdict(s) for s in stages],
        "large": [asdict(t) for t in large],
        "under_load": [asdict(load) for load in loads],
    }
