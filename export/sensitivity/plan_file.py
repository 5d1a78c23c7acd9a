"""Writes a plan as a small TOML file that a person reads and edits."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from portraiture.export.contract import Size
from portraiture.export.plan import Kind
from portraiture.export.sensitivity.measure import Effect
from portraiture.export.sensitivity.search import Found
from portraiture.reference.files import write_text

HEAD = (
    "# The precision of each layer; written by portraiture sensitivity. A layer that is not named is fp16.",
    '# You may edit it: kinds are {kinds}; "*" in a name stands for anything.',
    "# Carry it out with: portraiture export --plan FILE. The gate holds the files to budget_db.",
)


def summary(found: Found) -> str:
    """How many layers are of which kind."""
    counts = Counter(found.kinds.values())
    return ", ".join(f"{counts[kind]} {kind.value}" for kind in Kind if counts[kind])


def plan_text(
    found: Found,
    effects: Mapping[tuple[str, Kind], Effect],
    budget_db: float,
    weights: Mapping[str, str],
    size: Size,
    photos: int,
) -> str:
    """The text of a plan's file.

    Args:
        found: the plan.
        effects: of each layer, for the remarks.
        budget_db: that it holds.
        weights: sha256 by network.
        size: at which it was measured, height and width in pixels.
        photos: number of photos on which it was measured.
    """
    lines = [line.format(kinds=", ".join(kind.value for kind in Kind)) for line in HEAD]
    lines += [f"budget_db = {budget_db:g}", "", "[weights]  # sha256 of those that it was made for"]
    lines += [f'{name} = "{digest}"' for name, digest in weights.items()]
    lines += ["", f"# PSNR of each output on the worst of {photos} photos at {size}, and bytes of the layers' weights"]
    for target, worst in found.worst_db.items():
        figures = ", ".join(f"{name} = {min(value, 999.0):.1f}" for name, value in worst.items())
        lines.append(f"[measured.{target.value}]")
        lines += [f"{part}" for part in figures.split(", ")]
        lines.append(f"bytes = {found.bytes[target]}  # in fp16 {found.bytes_fp16[target]}")
    lines += ["", "[layers]  # the remark: PSNR of the worst output where this layer alone is stored so"]
    for layer, kind in found.kinds.items():
        if kind is not Kind.FP16:
            effect = effects[layer, kind]
            alone = min(effect.worst_db(k) for k in range(effect.mse.shape[1]))
            lines.append(f'{json.dumps(layer)} = "{kind.value}"  # {alone:.1f} dB')
    return "\n".join(lines) + "\n"


def write_plan(path: Path, text: str) -> None:
    """Write a plan's file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
