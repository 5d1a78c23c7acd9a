"""``portraiture``: one executable, commands loaded when called, errors as one line and an exit code.

Exit 0: done. 1: a gate failed. 2: bad usage or input.
"""

import importlib
import os
import sys
from typing import NoReturn

import click

from portraiture.reference.errors import PortraitureError
from portraiture.reference.files import NO_ROOM

COMMANDS = {
    "render": "Render portraits with shallow depth of field.",
    "predict": "Write mask and depth of photos.",
    "pairs": "Render training pairs for the filter with the CRF reference.",
    "train": "Train a network.",
    "evaluate": "Measure quality on a dataset.",
    "export": "Write a bundle of Core ML and TFLite models.",
    "parity": "Prove that a bundle computes what PyTorch computes.",
    "inspect": "Show and verify what is in a bundle.",
    "demo": "Show a bundle as a page in the browser.",
    "doctor": "Say how phones' GPUs, NPUs and Neural Engine take a bundle's files.",
    "sensitivity": "Measure how small each layer may be stored; write a plan.",
    "diff": "Compare two bundles: contract, files, weights, outputs, times.",
    "study": "Ask people which of two renderings they prefer, and count.",
    "bench": "Time the reference, TFLite files or a whole export.",
}


THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""Read by PyTorch, its MKL, NumPy and OpenCV when they are loaded; ``export/runner.py`` reads the first one."""


class _LazyGroup(click.Group):
    """Lists commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"portraiture.tools.commands.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--threads", type=click.IntRange(1), metavar="N",
              help="Threads of each computation. [default: one per core; 2 of a TFLite or ONNX file]")  # fmt: skip
@click.version_option(package_name="portraiture")
def group(threads: int | None) -> None:
    """Shallow depth of field for portraits, on the phone, and provably the same picture as the reference."""
    # OpenMP reads it when PyTorch is loaded; threads that spin while they wait are slow beside other programs
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if threads is not None:
        _use_threads(threads)


def _use_threads(threads: int) -> None:
    """Bring the number of threads to every library: by variables that they read when they are loaded, or directly."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    for module, setter in (("torch", "set_num_threads"), ("cv2", "setNumThreads")):
        if module in sys.modules:
            getattr(sys.modules[module], setter)(threads)


def _stop(message: str, code: int = 2) -> NoReturn:
    """End with one line."""
    click.echo(f"portraiture: {' '.join(message.split())}", err=True)
    sys.exit(code)


def main() -> None:
    """Entry point."""
    try:
        code = group.main(standalone_mode=False)
    except PortraitureError as error:
        _stop(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "portraiture"
        _stop(f"{error.format_message().rstrip('.')}; see {command} --help")
    except click.ClickException as error:
        _stop(error.format_message())
    except OSError as error:
        if error.errno in NO_ROOM:
            _stop(f"expected room to write, found: {error.strerror}; free some, or write to another place")
        if error.filename is None:
            raise
        _stop(f"{error.filename}: {error.strerror}; expected a place that can be read or written: check the path")
    except click.Abort:
        click.echo("portraiture: stopped", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
