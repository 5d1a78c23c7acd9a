"""Whether a file takes notice of its scalars, aperture and focus, and whether it takes them as they are."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from portraiture.export.contract import Kind
from portraiture.export.diagnosis.mistakes import NONE, Arrays, agree, nearer, run_mistaken, squared_error
from portraiture.export.diagnosis.patterns import Guess
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported
from portraiture.export.runner import Feeds
from portraiture.export.targets import open_file
from portraiture.reference.lens.focus import FOCUS_ON_PERSON

_TRIED = {"aperture": (0.024, 0.012), "focus": (0.9, 0.1)}
"""Two values of each scalar at which pictures differ; the factor is looked for at the first."""

_FIXED = {"aperture": _TRIED["aperture"][0], "focus": FOCUS_ON_PERSON}
"""The scalars while another one is tried."""


def ignored_scalar(root: Path, file: ModelFile, network: Exported, feeds: Feeds) -> str:
    """A scalar that a file takes no notice of, in words; empty where there is none.

    Args:
        root: folder of the bundle.
        file: one of its files.
        network: float64, built for layout NCHW.
        feeds: the contract's inputs: images HxWx3 and maps HxW in 0..1, scalars.
    """
    names = _scalars(network)
    if not names:
        return ""
    runner = open_file(root, file)
    for name in names:
        pictures = [runner.run({**feeds, **_FIXED, name: value}) for value in _TRIED[name]]
        if all(np.array_equal(a, b) for a, b in zip(*(p.values() for p in pictures), strict=True)):
            return f"the file ignores {name}"
    return ""


def scaled_scalar(root: Path, file: ModelFile, network: Exported, feeds: Feeds) -> Guess | None:
    """A scalar that a file takes times a factor; None where there is none.

    Args:
        root, file, network, feeds: as for :func:`ignored_scalar`.
    """
    for name in _scalars(network):
        value = _TRIED[name][0]
        found = open_file(root, file).run({**feeds, **_FIXED, name: value})
        run = partial(_run_with, network, file, {**feeds, **_FIXED}, name)
        factor = _factor(found, run, value)
        mistaken = run(factor * value)
        if agree(file, found, mistaken) and nearer(found, mistaken, run(value)):
            left = squared_error(found, mistaken) / squared_error(found, run(value))
            return Guess(f"the file takes {name} times {factor:.2f}", left)
    return None


def _scalars(network: Exported) -> list[str]:
    return [s.name for s in network.contract.inputs if s.kind is Kind.SCALAR]


def _run_with(network: Exported, file: ModelFile, feeds: Feeds, name: str, value: float) -> Arrays:
    """What the network gives with another value of a scalar."""
    return run_mistaken(network, file, {**feeds, name: value}, NONE)


def _factor(found: Arrays, run: Callable[[float], Arrays], value: float) -> float:
    """The factor of a value, 0..1.6, by which what ``run`` gives is nearest to what was found."""

    def error(k: float) -> float:
        return squared_error(found, run(k * value))

    grid = np.linspace(0.0, 1.6, 9)
    best = float(min(grid, key=error))
    step = grid[1] - grid[0]
    return float(minimize_scalar(error, bounds=(best - step, best + step), options={"xatol": 1e-4}).x)
