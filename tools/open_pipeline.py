"""From ``--runtime``, ``--bundle`` and ``--precision`` to a pipeline."""

from pathlib import Path

import click

from portraiture.export.bundle.open import open_bundle
from portraiture.export.contract import DEFAULT_SIZE, Size
from portraiture.export.coreml.runner import Engine, engine_here
from portraiture.export.formats import Precision, Target
from portraiture.export.networks.build import Networks
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.runner import Runner
from portraiture.export.targets import open_file
from portraiture.export.tflite.tensorflow_runner import open_tensorflow, require_tensorflow
from portraiture.reference.errors import InputError, OptionError
from portraiture.tools.choices import parse_list

LANDSCAPE = Size(DEFAULT_SIZE.width, DEFAULT_SIZE.height)


def runtime_label(runtime: str) -> str:
    """A runtime's name in results: off macOS a Core ML package is run by our own interpreter, and it is said."""
    return "coreml (MIL interpreter, not Apple's)" if runtime == "coreml" and engine_here() is Engine.MIL else runtime


def open_pipeline(runtime: str, bundle: Path | None, precision: str | None) -> Pipeline:
    """The pipeline that the options ask for; a bundle's checksums are verified first.

    Raises:
        OptionError: options that contradict each other.
        InputError: the bundle has no such model.
    """
    if runtime == "torch":
        if bundle is not None or precision is not None:
            raise OptionError("--bundle and --precision: expected --runtime tflite or coreml with them, found torch")
        return Pipeline(Networks().runner, (DEFAULT_SIZE, LANDSCAPE))
    if bundle is None:
        raise OptionError(f"--runtime {runtime}: expected --bundle DIR; make one with portraiture export -o DIR")
    if runtime == "tensorflow":
        require_tensorflow()
    if runtime_label(runtime) != runtime:
        click.echo(f"running {runtime_label(runtime)}", err=True)
    whole = open_bundle(bundle)
    chosen = parse_list("precision", precision, Precision)[0] if precision else None
    target = Target.TFLITE if runtime == "tensorflow" else Target(runtime)
    opened = open_tensorflow if runtime == "tensorflow" else open_file
    files = {(f.name, f.size): f for f in whole.find(target, chosen)}
    sizes = sorted({size for _, size in files})

    def open_model(name: str, size: Size) -> Runner:
        if (name, size) not in files:
            raise InputError(f"{bundle}: expected a {target.value} model {name} {size}; export it with --model {name}")
        return opened(bundle, files[(name, size)])

    return Pipeline(open_model, sizes, files)
