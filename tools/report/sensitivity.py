"""What ``sensitivity`` prints and writes as JSON."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from portraiture.export.plan import Kind
from portraiture.export.sensitivity.measure import Effect, Sensitivity
from portraiture.export.sensitivity.plan_file import summary
from portraiture.export.sensitivity.search import Found
from portraiture.tools.report.terminal import console

Effects = Mapping[tuple[str, Kind], Effect]


def map_db(effect: Effect, outputs: tuple[str, ...]) -> float:
    """PSNR of the worst map, mask or depth, on the worst photo."""
    return min(effect.worst_db(k) for k, name in enumerate(outputs) if name != "portrait")


def portrait_db(effect: Effect, outputs: tuple[str, ...]) -> float:
    """PSNR of the portrait on the worst photo."""
    return effect.worst_db(outputs.index("portrait"))


def _figure(value: float) -> str:
    return f"{value:.1f}" if value < 200 else "same"  # a layer of the filter moves no map


def print_effects(found: Sensitivity, effects: Effects, chosen: Mapping[str, Kind]) -> None:
    """Print a line for each layer: PSNR of the worst map, then of the portrait, for each kind.

    Args:
        found: the layers.
        effects: of each; a kind that saves nothing is "-".
        chosen: the kind of each layer in the plan that was found; empty without one.
    """
    table = Table("layer", "weights", *(kind.value for kind in found.kinds), *(["plan"] if chosen else []))
    for layer, weight in found.weights.items():
        cells = [
            f"{_figure(map_db(e, found.outputs))}/{_figure(portrait_db(e, found.outputs))}" if e else "-"
            for e in (effects.get((layer, kind)) for kind in found.kinds)
        ]
        table.add_row(escape(layer), f"{weight.size}", *cells, *([chosen[layer].value] if chosen else []))
    out = console()
    out.print(table)
    out.print("dB of the worst of mask and depth / of the portrait, on the worst photo, this layer alone; "
              "-: saves nothing")  # fmt: skip


def plan_lines(path: Path, plan: Found) -> Iterator[str]:
    """What was found, a line for each format.

    Args:
        path: where the plan was written.
        plan: what was found.
    """
    yield f"{path}: {summary(plan)}"
    for target, worst in plan.worst_db.items():
        figures = ", ".join(f"{name} {value:.1f} dB" for name, value in worst.items())
        yield (f"{target.value}: {plan.bytes[target] / 1e6:.2f} MB of weights, in fp16"
               f" {plan.bytes_fp16[target] / 1e6:.2f}; worst photo: {figures}")  # fmt: skip


def to_json(found: Sensitivity, effects: Effects, plan: Found | None) -> dict[str, Any]:
    """Plain values: of each layer and kind the PSNR of each output on the worst photo, and bytes in each format.

    Args:
        found: the layers.
        effects: of each.
        plan: what was found, if a plan was asked for.
    """
    layers: dict[str, Any] = {}
    for (layer, kind), effect in effects.items():
        entry = layers.setdefault(layer, {"weights": int(found.weights[layer].size), "kinds": {}})
        entry["kinds"][kind.value] = {
            "psnr_db": {name: min(effect.worst_db(k), 999.0) for k, name in enumerate(found.outputs)},
            "bytes": {target.value: found.bytes_of(layer, kind, target) for target in found.targets},
        }
    if plan is None:
        return {"layers": layers}
    return {
        "layers": layers,
        "plan": {layer: kind.value for layer, kind in plan.kinds.items()},
        "worst_db": {target.value: worst for target, worst in plan.worst_db.items()},
        "bytes": {target.value: size for target, size in plan.bytes.items()},
    }
