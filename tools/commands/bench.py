"""``portraiture bench``: times on this machine; ratios within one run are what counts."""

from pathlib import Path

import click


@click.command("bench")
@click.argument("subject", type=click.Choice(("reference",)))
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True, help="Runs a stage; the best counts.")
@click.option("--megapixels", type=click.FloatRange(0, 64), default=12.0, show_default=True,
              help="Also a photo of this size, once, with its peak memory; 0 leaves it out.")  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the times here.")
def command(subject: str, repeats: int, megapixels: float, json_file: Path | None) -> None:
    """Time the CRF reference stage by stage at 500x300 against a plain implementation, on the bundled astronaut."""
    from dataclasses import asdict

    import cv2
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from portraiture.export.goldens import sample_photo
    from portraiture.export.manifest import write_json
    from portraiture.tools.open_pipeline import open_pipeline
    from portraiture.tools.reference_bench import SIZE, bench_large, bench_reference

    height, width = SIZE
    photo = cv2.resize(sample_photo()[:, 60:367], (width, height), interpolation=cv2.INTER_AREA)
    maps = open_pipeline("torch", None, None).perceive(photo)
    mask, depth = maps.mask.astype(np.float64), maps.depth.astype(np.float64)
    stages = bench_reference(photo / 255.0, mask, depth, repeats)
    table = Table("stage", "ours s", "plain s", "plain / ours")
    for s in stages:
        plain, ratio = ("-", "-") if s.plain_s is None else (f"{s.plain_s:.3f}", f"{s.plain_s / s.ours_s:.1f}")
        table.add_row(s.stage, f"{s.ours_s:.3f}", plain, ratio)
    Console().print(table)
    large = bench_large(photo, mask, depth, megapixels) if megapixels else []
    if large:
        table = Table("large photo", "compositing", "s", "peak GiB")
        for t in large:
            table.add_row(f"{t.megapixels:g} MP, {t.mode}", t.compositing, f"{t.seconds:.1f}", f"{t.peak_gib:.2f}")
        Console().print(table)
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(
            json_file,
            {
                "subject": subject,
                "size": f"{height}x{width}",
                "stages": [asdict(s) for s in stages],
                "large": [asdict(t) for t in large],
            },
        )
