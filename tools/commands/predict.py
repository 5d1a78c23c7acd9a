"""``portraiture predict``: mask and depth of photos."""

from pathlib import Path

import click

from portraiture.tools.choices import network_option, runtime_options, stem_outputs, weights_options


@click.command("predict")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@runtime_options
@weights_options
@network_option
def command(
    photos: tuple[Path, ...],
    output: Path,
    runtime: str,
    bundle: Path | None,
    precision: str | None,
    weights: tuple[Path, ...],
    which_text: str | None,
    own: str | None,
) -> None:
    """Write STEM_mask.png (8 bit) and STEM_depth.npy (float32, larger is farther) at the photo's size.

    STEM_coarse_mask.png and STEM_coarse_depth.npy hold the maps before the spatial propagation, where the runtime has
    the coarse model. A photo that fails does not stop the others; it is listed at the end, and the command ends with 2.
    """
    import numpy as np

    from portraiture.reference.errors import InputError
    from portraiture.reference.photo.read import read_photo
    from portraiture.reference.photo.write import write_npy, write_photo
    from portraiture.reference.presence import Presence, find_person
    from portraiture.tools.open_pipeline import open_pipeline
    from portraiture.tools.progress import note

    stem_outputs(photos)
    pipeline = open_pipeline(runtime, bundle, precision, weights, which_text, True, own)
    coarse = pipeline.offers("coarse")
    if not coarse:
        whose = "--network" if bundle is None else str(bundle)
        click.echo(
            f"{whose} has no coarse model: coarse maps are not written{'' if own else ' (export with --model coarse)'}",
            err=True,
        )

    def write_maps(photo: Path) -> None:
        rgb = read_photo(photo)
        found = {photo.stem: pipeline.perceive(rgb)}
        if coarse:
            found[f"{photo.stem}_coarse"] = pipeline.perceive(rgb, "coarse")
        output.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        try:
            for prefix, maps in found.items():
                mask_file, depth_file = output / f"{prefix}_mask.png", output / f"{prefix}_depth.npy"
                write_photo(mask_file, np.rint(maps.mask * 255).astype(np.uint8))
                written.append(mask_file)
                write_npy(depth_file, maps.depth.astype(np.float32))
                written.append(depth_file)
        except InputError:
            for path in written:  # a photo's maps are all there or none
                path.unlink()
            raise
        person = find_person(found[photo.stem].mask)
        if person.presence is Presence.ABSENT:
            note(f"{photo}: no person was found ({person}); look at the mask before you use it")
        elif person.presence is Presence.UNCERTAIN:
            note(f"{photo}: a person was found uncertainly ({person}); look at the mask before you use it")

    if len(photos) == 1:
        write_maps(photos[0])
        return
    from portraiture.tools.batch import over_photos

    over_photos(photos, write_maps)
