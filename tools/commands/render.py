"""``portraiture render``: photo to portrait."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portraiture.reference.lens import LEARNT_APERTURE
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER
from portraiture.tools.choices import (
    check_input,
    lens_options,
    lens_options_given,
    network_option,
    runtime_options,
    stem_outputs,
    weights_options,
)
from portraiture.tools.portraits import (
    EMBEDDED,
    Look,
    focus_depth,
    offer_embedded,
    parse_focus,
    untapped_focus,
    write_beside,
)

if TYPE_CHECKING:
    import numpy as np

    from portraiture.export.pipeline.maps import Maps
    from portraiture.export.pipeline.pipeline import Pipeline
    from portraiture.reference.settings import RenderSettings

    Renderer = Callable[[np.ndarray, Maps, Look], np.ndarray]
    """From a photo HxWx3 uint8 or uint16, its maps and what is asked for to the portrait, of its type."""


MODES = ("auto", "selfie", "full-body")

CRF_ONLY = ("mode", "compositing", "matting", "highlights", "blades", "rotation", "grain")
"""Options that the RNN filter does not know."""


def _check_output(photos: Sequence[Path], output: Path, one_photo_only: bool) -> bool:
    """Whether the output is one picture file, not a folder.

    Args:
        photos: files, one or more.
        output: of ``-o``.
        one_photo_only: an option is given that belongs to one photo.

    Raises:
        OptionError: several photos and one file or such an option, or a file of another kind.
    """
    from portraiture.reference.errors import OptionError
    from portraiture.reference.photo.write import PICTURE_SUFFIXES, check_suffix

    one_file = output.suffix.lower() in PICTURE_SUFFIXES
    if len(photos) > 1 and one_file:
        raise OptionError(f"-o: expected a folder for {len(photos)} photos, found {output}; name a folder")
    if len(photos) > 1 and one_photo_only:
        raise OptionError(
            f"--mask, --depth and --focus: expected one photo with them, found {len(photos)}; render it by itself"
        )
    if output.suffix and not one_file:
        endings = ", ".join(PICTURE_SUFFIXES)
        raise OptionError(f"-o: expected a file with one of {endings}, or a folder, found {output}; change its ending")
    if one_file:
        check_suffix(output)
    return one_file


def _refuse_crf_options(context: click.Context) -> None:
    """Raise where an option of the CRF renderer is not at its default."""
    from portraiture.reference.errors import OptionError

    changed = [
        option.opts[0]
        for option in context.command.params
        if option.name in CRF_ONLY and context.params[option.name] != option.default
    ]
    if changed:
        raise OptionError(f"{', '.join(changed)}: expected --renderer crf with it, found rnn; add --renderer crf")


def _settings(options: Mapping[str, Any]) -> "RenderSettings":
    """The CRF renderer's settings from the command's options by name."""
    from portraiture.reference.errors import OptionError
    from portraiture.reference.settings import Compositing, Matting, Mode, RenderSettings

    mode = Mode(options["mode"])
    if options["anyway"] and mode is Mode.SELFIE:
        raise OptionError("--anyway: expected --mode auto or full-body with it, found selfie; drop one of them")
    return RenderSettings(
        mode=mode,
        aperture=options["aperture"],
        matting=Matting(options["matting"]),
        compositing=Compositing(options["compositing"]),
        highlights=options["highlights"],
        blades=int(options["blades"]),
        rotation_deg=options["rotation"],
        grain=options["grain"],
    )


def _rnn_renderer(pipeline: "Pipeline") -> "Renderer":
    from portraiture.export.pipeline.compose import to_bytes

    return lambda rgb, maps, look: to_bytes(
        pipeline.render(rgb, maps, look.aperture, FOCUS_ON_PERSON if look.focus is None else look.focus), rgb.dtype
    )


def _crf_renderer(settings: "RenderSettings") -> "Renderer":
    from portraiture.reference.full_size.render import render_photo

    return lambda rgb, maps, look: render_photo(
        rgb, maps.mask, maps.depth, replace(settings, aperture=look.aperture, focus=look.focus, full=look.full)
    )


@click.command("render")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@click.option("--video", type=click.Path(path_type=Path), help="A film in place of photos, to .mp4, .mov or .mkv.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="A file, .png .jpg .webp .avif or .heic, or a folder.",
)
@click.option("--renderer", type=click.Choice(("crf", "rnn")), default="rnn", show_default=True,
              help="The RNN filter, or the CRF reference (slower, the truth).")  # fmt: skip
@click.option("--mode", type=click.Choice(MODES), default="auto", show_default=True,
              help="CRF: a selfie has one blur behind the person, full-body one per depth layer.")  # fmt: skip
@click.option("--aperture", type=click.FloatRange(0, LEARNT_APERTURE), default=APERTURE_PAPER, show_default=True,
              help="Largest blur radius as a share of the image diagonal.")  # fmt: skip
@lens_options
@click.option("--focus", "focus_text", metavar="X,Y", help="A point of the photo that stays sharp. [default: person]")
@click.option("--compositing", type=click.Choice(("paper", "occlusion")), default="paper", show_default=True,
              help="CRF: equation (10), or layer over layer as in a lens.")  # fmt: skip
@click.option("--matting", type=click.Choice(("auto", "knn", "closed-form", "none")), default="auto",
              show_default=True, help="CRF; auto: knn for paper, closed-form otherwise.")  # fmt: skip
@click.option("--highlights", type=click.FloatRange(0), default=0.0, show_default=True,
              help="Occlusion: gain of clipped lights; 3 suits lamps at night.")  # fmt: skip
@click.option("--blades", type=click.Choice(("0", "5", "6", "7", "8", "9")), default="0", show_default=True,
              help="Occlusion: blades of the iris; 0 is a disk.")  # fmt: skip
@click.option("--rotation", type=float, default=0.0, show_default=True, help="Occlusion: turn of the iris in degrees.")
@click.option(
    "--grain/--no-grain", default=False, show_default=True, help="Occlusion: give the blur the photo's noise."
)
@click.option("--mask", metavar="FILE|embedded",
              help="Person mask in place of the predicted one; embedded: the photo's portrait matte.")  # fmt: skip
@click.option("--anyway", is_flag=True, help="Render where no person is found too: the nearest depth stays sharp.")
@click.option("--depth", metavar="FILE|embedded",
              help="Depth map (.npy or PNG, larger is farther) to use; embedded: the one in the photo's file, with its"
              " portrait matte.")  # fmt: skip
@click.option("--steady/--no-steady", default=True, show_default=True, help="Video: steady maps and focus over time.")
@click.option("--strip-location", is_flag=True, help="Leave out where the photo was taken.")
@click.option("--write-depth", is_flag=True,
              help="Store the depth in the portrait, so that another editor can refocus: a .jpg holds it as Dynamic"
              " Depth, a .heic as Apple's portraits do.")  # fmt: skip
@runtime_options
@weights_options
@network_option
def command(
    photos: tuple[Path, ...],
    video: Path | None,
    output: Path,
    renderer: str,
    aperture: float,
    focus_text: str | None,
    mask: str | None,
    anyway: bool,
    depth: str | None,
    steady: bool,
    strip_location: bool,
    write_depth: bool,
    runtime: str,
    bundle: Path | None,
    precision: str | None,
    weights: tuple[Path, ...],
    which_text: str | None,
    own: str | None,
    **_crf: object,
) -> None:
    """Render portraits: OUTPUT is a file for one photo, or a folder that gets STEM_portrait.png.

    The file's ending says its format. A portrait keeps the photo's colour profile, and what was written beside it:
    when, where and how it was taken, by whom, and whose it is.
    A photo that cannot be rendered does not stop the others; it is listed at the end, and the command ends with 2.
    """
    from portraiture.export.pipeline.pipeline import with_own_pixels
    from portraiture.reference.photo.read import open_photo
    from portraiture.tools.open_pipeline import open_pipeline

    check_input(photos, video, click.get_current_context())
    stem_outputs(photos)
    point = parse_focus(focus_text)
    map_files = [given for given in (mask, depth) if given not in (None, EMBEDDED)]
    one_file = video is not None or _check_output(photos, output, bool(map_files or point))
    if write_depth:
        from portraiture.tools.portraits import check_depth_output

        check_depth_output(output, one_file)
    context = click.get_current_context()
    choice = None
    if lens_options_given(context):
        from portraiture.tools.lens_choice import lens_choice

        choice = lens_choice(context)
    if renderer == "rnn":
        _refuse_crf_options(context)
    settings = _settings(context.params) if renderer == "crf" else None
    pipeline = open_pipeline(runtime, bundle, precision, weights, which_text, settings is not None, own)
    draw = _rnn_renderer(pipeline) if settings is None else _crf_renderer(settings)

    if video is not None:
        from portraiture.tools.video import render_video

        asked = {name: repr(value) for name, value in sorted(context.params.items())}
        render_video(video, output, pipeline, draw, aperture, anyway, steady, not strip_location, asked)
        return

    def write_portrait(photo: Path) -> None:
        pixels = open_photo(photo)
        rgb, coded = pixels.rgb, pixels.own
        maps = pipeline.perceive(rgb)
        mask_given = False
        if mask or depth:
            from portraiture.tools.given_maps import with_given_maps

            maps, mask_given = with_given_maps(maps, photo, pixels, mask, depth)
        if depth is None and pixels.data:
            offer_embedded(photo, pixels)
        focus = untapped_focus(photo, maps, mask_given, anyway) if point is None else focus_depth(maps, point)
        look, stored = Look(aperture, focus), maps.depth if write_depth else None
        if choice is not None:
            from portraiture.tools.lens_look import look_through

            look, maps = look_through(photo, pixels.data, maps, choice, focus, mask_given, settings)
        target = output if one_file else output / f"{photo.stem}_portrait.png"
        picture = draw(coded, maps if coded is rgb else with_own_pixels(maps, coded), look)
        made = f"background blurred, {renderer.upper()} renderer, aperture {look.aperture:.4g}"
        write_beside(photo, pixels, target, picture, not strip_location, made, stored)

    if len(photos) == 1:
        write_portrait(photos[0])
        return
    from portraiture.tools.batch import over_photos

    over_photos(photos, write_portrait)
