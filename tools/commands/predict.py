"""``portraiture predict``: mask and depth of photos."""

from pathlib import Path

import click

from portraiture.tools.choices import runtime_options, stem_outputs


@click.command("predict")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@runtime_options
def command(photos: tuple[Path, ...], output: Path, runtime: str, bundle: Path | None, precision: str | None) -> None:
    """Write STEM_mask.png (8 bit) and STEM_depth.npy (float32, larger is farther) at the photo's size.

    STEM_coarse_mask.png and STEM_coarse_depth.npy hold the maps before the spatial propagation, where the runtime has
    the coarse model.
    """
    import numpy as np
    from tqdm import tqdm

    from portraiture.reference.photo import read_photo, write_npy, write_photo
    from portraiture.tools.open_pipeline import has_model, open_pipeline

    stem_outputs(photos)
    pipeline = open_pipeline(runtime, bundle, precision)

    def write(rgb: np.ndarray, model: str, prefix: str) -> None:
        maps = pipeline.perceive(rgb, model)
        write_photo(output / f"{prefix}_mask.png", np.rint(maps.mask * 255).astype(np.uint8))
        write_npy(output / f"{prefix}_depth.npy", maps.depth.astype(np.float32))

    coarse = has_model(pipeline, "coarse")
    if not coarse:
        click.echo(
            f"{bundle} has no coarse model: coarse maps are not written (export with --model coarse)",
            err=True,
        )
    for photo in tqdm(photos, unit="photo", disable=len(photos) == 1):
        rgb = read_photo(photo)
        output.mkdir(parents=True, exist_ok=True)
        write(rgb, "perception", photo.stem)
        if coarse:
            write(rgb, "coarse", f"{photo.stem}_coarse")
