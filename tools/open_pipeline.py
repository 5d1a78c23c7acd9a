"""From ``--runtime``, ``--bundle`` and ``--precision`` to a pipeline.

What only a bundle needs is imported where one is given: a render in PyTorch loads no converter and no format.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portraiture.export.contract import DEFAULT_SIZE, Size
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.reference.errors import InputError, OptionError
from portraiture.tools.choices import RUNTIMES, parse_list

if TYPE_CHECKING:
    from portraiture.export.runner import Runner

LANDSCAPE = Size(DEFAULT_SIZE.width, DEFAULT_SIZE.height)


def runtime_label(runtime: str) -> str:
    """A runtime's name in results. Off macOS our own interpreter runs a Core ML package, and the name says so."""
    if runtime != "coreml":
        return runtime
    from portraiture.export.coreml.runner import Engine, engine_here

    return "coreml (MIL interpreter, not Apple's)" if engine_here() is Engine.MIL else runtime


def open_pipeline(
    runtime: str,
    bundle: Path | None,
    precision: str | None,
    weights: Sequence[Path] = (),
    which_text: str | None = None,
    perception_alone: bool = False,
    own: str | None = None,
) -> Pipeline:
    """The pipeline that the options ask for; a bundle's checksums are verified first.

    Args:
        runtime: one of ``RUNTIMES``.
        bundle: folder of the exported models; None with ``torch``, which runs weights.
        precision: value of a ``Precision``; None takes the bundle's finest.
        weights: runs or files to run in PyTorch in place of the shipped weights.
        which_text: value of ``--which``.
        perception_alone: no filter is run, and weights of one are refused.
        own: value of ``--network``.

    Raises:
        OptionError: options that contradict each other.
        InputError: no whole bundle, or none with such models.
    """
    if runtime == "torch":
        if bundle is not None or precision is not None:
            others = ", ".join(name for name in RUNTIMES if name != runtime)
            raise OptionError(
                f"--bundle and --precision: expected --runtime {others} with them, found torch; add --runtime"
            )
        from portraiture.export.networks.build import Networks

        if not weights and which_text is None and own is None:
            return Pipeline(Networks().runner, (DEFAULT_SIZE, LANDSCAPE))
        from portraiture.tools.weights_option import EXPORTED, chosen_checkpoints

        networks = ("MobilePerception",) if perception_alone else tuple(EXPORTED)
        found = Networks(chosen_checkpoints(weights, which_text, networks=networks, own=own))
        return Pipeline(found.runner, found.own_sizes or (DEFAULT_SIZE, LANDSCAPE), lacks=("coarse",) if own else ())
    for option, given in (("--weights", weights or which_text), ("--network", own)):
        if given:
            raise OptionError(
                f"{option}: expected --runtime torch with it, found {runtime}; drop it, a bundle holds its own"
            )
    if bundle is None:
        raise OptionError(
            f"--runtime {runtime}: expected --bundle DIR with it, found none; make one with portraiture export -o DIR"
        )
    return _of_bundle(runtime, bundle, precision)


def _of_bundle(runtime: str, root: Path, precision: str | None) -> Pipeline:
    """The pipeline of a bundle's files."""
    from portraiture.export.bundle.open import open_bundle
    from portraiture.export.formats import Precision, Target
    from portraiture.export.targets import open_file
    from portraiture.export.tflite.tensorflow_runner import open_tensorflow, require_tensorflow

    if runtime == "tensorflow":
        require_tensorflow()
    if runtime_label(runtime) != runtime:
        click.echo(f"running {runtime_label(runtime)}", err=True)
    chosen = parse_list("precision", precision, Precision)[0] if precision else None
    target = Target.TFLITE if runtime == "tensorflow" else Target(runtime)
    opened = open_tensorflow if runtime == "tensorflow" else open_file
    files = {(f.name, f.size): f for f in open_bundle(root).find(target, chosen)}
    sizes = sorted({size for _, size in files})

    def open_model(name: str, size: Size) -> "Runner":
        if (name, size) not in files:
            found = ", ".join(f"{other} {there}" for other, there in files)
            raise InputError(
                f"{root}: expected a {target.value} model {name} {size}, found {found}; export it with --model {name}"
            )
        return opened(root, files[(name, size)])

    return Pipeline(open_model, sizes, files)
