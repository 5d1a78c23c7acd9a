"""Whether a file takes notice of its scalars, aperture and focus, and whether it takes them as they are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from portraiture.export.contract import Kind
from portraiture.export.diagnosis.mistakes import NONE, Arrays, agree, run_mistaken
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported
from portraiture.export.runner import Feeds
from portraiture.export.targets import open_file
from portraiture.reference.lens.focus import FOCUS_ON_PERSON

_TRIED = {"aperture": (0.024, 0.012), "focus": (0.9, 0.1)}
"""Two values of each scalar at which pictures differ; the factor is looked for at the first."""


def scalar_fault(root: Path, file: ModelFile, network: Exported, feeds: Feeds) -> str:
    """What a file does with a scalar that the network does not; empty where nothing, or it has none.

    Args:
        root: folder of the bundle.
        file: one of its files.
        network: float64, built for layout NCHW.
        feeds: the contract's inputs: images HxWx3 and maps HxW in 0..1, scalars.
    """
    names = [s.name for s in network.contract.inputs if s.kind is Kind.SCALAR]
    if not names:
        return ""
    runner = open_file(root, file)
    fixed = {**feeds, "aperture": _TRIED["aperture"][0], "focus": FOCUS_ON_PERSON}
    for name in names:
        pictures = [runner.run({**fixed, name: value}) for value in _TRIED[name]]
        if all(np.array_equal(a, b) for a, b in zip(*(p.values() for p in pictures), strict=True)):
            return f"the file ignores {name}"
    for name in names:
        value = _TRIED[name][0]
        found = runner.run({**fixed, name: value})
        factor = _factor(found, lambda k, n=name, v=value: run_mistaken(network, file, {**fixed, n: k * v}, NONE))
        mistaken = run_mistaken(network, file, {**fixed, name: factor * value}, NONE)
        if abs(factor - 1) > 0.005 and agree(file, found, mistaken):
            return f"the file takes {name} times {factor:.2f}"
    return ""


def _factor(found: Arrays, run: Callable[[float], Arrays]) -> float:
    """The factor, 0..1.6, by which what ``run`` gives is nearest to what was found: a grid, made finer twice."""

    def error(k: float) -> float:
        return sum(float(np.mean((value - found[name]) ** 2)) for name, value in run(k).items())

    low, high = 0.0, 1.6
    best = 1.0
    for _ in range(3):
        grid = np.linspace(low, high, 17)
        best = float(min(grid, key=error))
        step = grid[1] - grid[0]
        low, high = best - step, best + step
    return best
