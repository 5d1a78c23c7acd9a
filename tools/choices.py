"""Options that several commands share."""

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import click

from portraiture.reference.errors import OptionError, unknown

E = TypeVar("E", bound=Enum)

LENS_OPTIONS = {
    "f_number": "--f-number",
    "focal_length": "--focal-length",
    "sensor": "--sensor",
    "distance": "--distance",
}
"""Option by the name of its parameter; any of them asks for a lens."""

RUNTIMES = ("torch", "tflite", "tensorflow", "coreml", "onnx", "coreai")


def parse_list(option: str, text: str, kind: type[E]) -> tuple[E, ...]:
    """``a,b`` -> members of an enum, in the order given, without repeats.

    >>> from portraiture.export.formats import Target
    >>> [member.value for member in parse_list("target", "onnx, tflite,onnx", Target)]
    ['onnx', 'tflite']

    Args:
        option: its name, for messages.
        text: what the user gave.
        kind: the enum; the user writes the values of its members.

    Raises:
        OptionError: an unknown or no value.
    """
    values = [v.strip() for v in text.split(",") if v.strip()]
    if not values:
        raise OptionError(
            f"{option}: expected one or more of {', '.join(m.value for m in kind)}, found nothing; name one"
        )
    valid = {m.value: m for m in kind}
    for value in values:
        if value not in valid:
            raise unknown(option, value, valid)
    return tuple(dict.fromkeys(valid[v] for v in values))


def parse_one(option: str, text: str, kind: type[E]) -> E:
    """A member of an enum by its value.

    Args:
        option: its name, for messages.
        text: what the user gave.
        kind: the enum.

    Raises:
        OptionError: another value.
    """
    valid = {m.value: m for m in kind}
    if text not in valid:
        raise unknown(option, text, valid)
    return valid[text]


def stem_outputs(photos: Sequence[Path]) -> None:
    """Refuse two photos of one stem: they would overwrite each other's outputs.

    Raises:
        OptionError: a stem occurs twice.
    """
    seen: dict[str, Path] = {}
    for photo in photos:
        if photo.stem in seen:
            raise OptionError(f"{photo} and {seen[photo.stem]} would write the same files; rename one")
        seen[photo.stem] = photo


def runtime_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--runtime``, ``--bundle`` and ``--precision`` of commands that run models."""
    command = click.option(
        "--precision",
        default=None,
        metavar="fp32|fp16|int8|int8-static|palettized|plan",
        help="Which of a bundle's files. [default: the finest]",
    )(command)
    command = click.option(
        "--bundle",
        type=click.Path(path_type=Path),
        default=None,
        help="Bundle for the tflite, tensorflow, coreml, onnx and coreai runtimes.",
    )(command)
    return click.option(
        "--runtime",
        type=click.Choice(RUNTIMES),
        default="torch",
        show_default=True,
        help="What runs the models.",
    )(command)


def which_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--which`` of commands that read weights."""
    return click.option(
        "--which",
        "which_text",
        type=click.Choice(("ema", "raw")),
        help="Of weights that hold both: averaged or raw. [default: ema]",
    )(command)


def weights_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--weights``, once for each network, and ``--which``."""
    return click.option(
        "--weights",
        "weights",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="RUN_OR_FILE",
        help="Your perception or filter weights: a run, .safetensors, .pth or .ckpt; repeatable. [default: shipped]",
    )(which_option(command))


def network_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--network`` of commands that run a network of one's own in the place of perception."""
    return click.option(
        "--network",
        "own",
        metavar="MODULE:FUNCTION|FILE",
        help="A network of your own in the place of perception: my_net:build, a .pt2 or .onnx file.",
    )(command)


def device_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--device`` of commands that say how a phone's devices take files."""
    return click.option(
        "--device",
        "devices",
        multiple=True,
        metavar="gpu|ane|npu|xnnpack",
        help="Device that is to run the files; repeatable. [default: all that run a file's format]",
    )(command)


def lens_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a lens; ``--aperture`` stands for all of them."""
    for option, kind, text in (
        ("--distance", float, "Lens: metres to the person. [default: by the person's size in the photo]"),
        ("--sensor", str, "Lens: the sensor's size in mm, such as 22.5x15; the focal length is then the real one."),
        ("--focal-length", float, "Lens: mm, the equivalent of 35 mm film. [default: the photo's EXIF]"),
        ("--f-number", float, "Lens: such as 1.8; the blur is a thin lens'. [default: the photo's EXIF]"),
    ):
        metavar = "WIDTHxHEIGHT" if kind is str else None
        command = click.option(option, type=kind, default=None, metavar=metavar, help=text)(command)
    return command


def lens_options_given(context: click.Context) -> list[str]:
    """Those of ``lens_options`` that the user gave."""
    return [option for name, option in LENS_OPTIONS.items() if context.params[name] is not None]


def check_input(photos: Sequence[Path], video: Path | None, context: click.Context) -> None:
    """Refuse anything but photos or a video, and options that a video does not take.

    Args:
        photos: files, any number.
        video: of ``--video``, or None.
        context: of ``render``.

    Raises:
        OptionError: both or neither, or such an option.
    """
    if bool(photos) == (video is not None):
        found = "both" if photos else "none"
        raise OptionError(f"render: expected photos or --video FILE, found {found}; name one of them")
    given = lens_options_given(context) + [f"--{n}" for n in ("mask", "depth") if context.params[n] is not None]
    given += ["--focus"] * (context.params["focus_text"] is not None)
    given += ["--write-depth"] * context.params["write_depth"]
    if video is not None and given:
        raise OptionError(f"{given[0]}: expected photos with it, found --video; drop it")
