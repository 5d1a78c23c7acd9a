"""Scalars for TensorBoard."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from portraiture.reference.errors import OptionError

Scalars = Callable[[int, str, dict[str, float]], None]
"""Takes a step, a group, and figures by name."""


def summary_writer() -> Any:
    """TensorBoard's ``SummaryWriter`` class.

    Raises:
        OptionError: the ``tensorboard`` package is missing or too old.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise OptionError(
            f"--tensorboard: expected the tensorboard package ({error}); pip install portraiture[tensorboard]"
        ) from error
    return SummaryWriter


@contextmanager
def scalar_files(folder: Path | None, step: int) -> Iterator[Scalars]:
    """Give a function that writes scalars for TensorBoard while the block runs, or drops them without a folder.

    Args:
        folder: of TensorBoard's files, or None.
        step: steps done so far; scalars of later ones, from before a resume, are dropped.
    """
    if folder is None:
        yield lambda at, group, figures: None
        return
    writer = summary_writer()(str(folder), purge_step=step + 1)

    def write(at: int, group: str, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            writer.add_scalar(f"{group}/{name}", value, at)

    try:
        yield write
    finally:
        writer.close()
