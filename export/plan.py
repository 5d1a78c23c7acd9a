"""A plan: the precision of each layer of a file, the budget that it holds, and the weights that it was made for."""

import fnmatch
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portraiture.export.formats import Target
from portraiture.reference.errors import InputError


class Kind(Enum):
    """How a layer's weights are stored, finest first. What computes with them is float, but for ``INT8_DYNAMIC``.

    INT8: one scale per output channel, symmetric.
    INT8_DYNAMIC: the same, and what enters the layer is quantized to int8 when it runs.
    PALETTE8, PALETTE6, PALETTE4: indices of so many bits into a table of the layer's own.
    """

    FP16 = "fp16"
    INT8 = "int8"
    INT8_DYNAMIC = "int8-dynamic"
    PALETTE8 = "palette8"
    PALETTE6 = "palette6"
    PALETTE4 = "palette4"


PALETTE_BITS = {Kind.PALETTE8: 8, Kind.PALETTE6: 6, Kind.PALETTE4: 4}

CARRIED = {
    Target.TFLITE: frozenset((Kind.FP16, Kind.INT8, Kind.INT8_DYNAMIC)),
    Target.COREML: frozenset((Kind.FP16, Kind.INT8, *PALETTE_BITS)),
    Target.ONNX: frozenset((Kind.FP16, Kind.INT8)),
}
"""The kinds that each format has; of any other a layer becomes int8 there, which is no coarser."""


def carried(kind: Kind, target: Target, is_depthwise: bool = False) -> Kind:
    """What becomes of a kind in a format: itself, or int8 where the format lacks it.

    >>> carried(Kind.PALETTE6, Target.COREML), carried(Kind.PALETTE6, Target.ONNX)
    (<Kind.PALETTE6: 'palette6'>, <Kind.INT8: 'int8'>)

    Args:
        kind: what the plan says.
        target: the format.
        is_depthwise: TFLite's delegate takes no such layer whose input is quantized when it runs.
    """
    if kind not in CARRIED[target] or (kind is Kind.INT8_DYNAMIC and is_depthwise):
        return Kind.INT8
    return kind


class _Form(BaseModel):
    """What a plan's file holds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    budget_db: Annotated[float, Field(gt=0, le=200)]
    weights: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    layers: dict[str, str]
    measured: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Plan:
    """The precision of each layer.

    Attributes:
        budget_db: least PSNR of each output on a photo.
        layers: name of a layer, or a pattern with ``*``, and its kind. A layer's own name counts before any pattern,
            an earlier pattern before a later one; a layer that none names is fp16.
        weights: network and sha256 of its weights.
        source: what it was read from, for messages.
    """

    budget_db: float
    layers: tuple[tuple[str, Kind], ...]
    weights: tuple[tuple[str, str], ...]
    source: str = field(default="plan", compare=False)

    def kind_of(self, layer: str) -> Kind:
        """The kind of a layer by its name."""
        named = dict(self.layers)
        found = [kind for pattern, kind in self.layers if fnmatch.fnmatchcase(layer, pattern)]
        return named.get(layer, found[0] if found else Kind.FP16)

    def kinds(self, layers: Iterable[str]) -> dict[str, Kind]:
        """The kind of each of some layers, by name."""
        return {layer: self.kind_of(layer) for layer in layers}

    def check_layers(self, layers: Iterable[str]) -> None:
        """Refuse a line that names none of all layers of the networks.

        Raises:
            InputError: naming the line.
        """
        known = list(layers)
        for pattern, _ in self.layers:
            if not any(fnmatch.fnmatchcase(layer, pattern) for layer in known):
                raise InputError(
                    f"{self.source}: layers: expected a layer of the network, found {pattern!r}, which names none;"
                    " take the line out, or write a name that portraiture sensitivity prints"
                )

    def check_weights(self, weights: Mapping[str, str]) -> None:
        """Refuse a plan that was made for other weights than these, sha256 by network.

        Raises:
            InputError: naming the network.
        """
        for network, digest in self.weights:
            if weights.get(network) != digest:
                here = str(weights.get(network))[:12]
                raise InputError(
                    f"{self.source}: expected a plan for these {network} weights (sha256 {here}...), found one for"
                    f" others ({digest[:12]}...); make one with portraiture sensitivity"
                )

    def to_json(self) -> dict[str, Any]:
        """Plain values, as :func:`plan_of` takes them."""
        layers = {name: kind.value for name, kind in self.layers}
        return {"budget_db": self.budget_db, "weights": dict(self.weights), "layers": layers}


def plan_of(value: object, where: str) -> Plan:
    """A plan from plain values.

    Args:
        value: of the form that :meth:`Plan.to_json` gives.
        where: what they were read from, for messages.

    Raises:
        InputError: it is of another form, or names a kind that there is not.
    """
    try:
        form = _Form.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise InputError(
            f"{where}: {place}: {first['msg'].lower()}; expected budget_db, [weights] and [layers]: make it with"
            " portraiture sensitivity --budget 45dB --write FILE"
        ) from error
    kinds = {kind.value: kind for kind in Kind}
    for name, text in form.layers.items():
        if text not in kinds:
            raise InputError(f"{where}: layers: {name}: expected one of {', '.join(kinds)}, found {text!r};"
                             " write one of these")  # fmt: skip
    layers = tuple((name, kinds[text]) for name, text in form.layers.items())
    return Plan(float(form.budget_db), layers, tuple(form.weights.items()), where)


def read_plan(path: Path) -> Plan:
    """A plan from its file.

    Raises:
        InputError: no such file, no TOML, or of another form.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: expected a plan's file ({type(error).__name__}); make one with portraiture sensitivity --write"
        ) from error
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: expected TOML, found: {error}; correct that line") from error
    return plan_of(value, str(path))
