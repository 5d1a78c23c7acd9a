"""Gate bounds: the shipped networks obey them, and a network that does not is refused by its layer's name."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from portraiture.export.contract import Size
from portraiture.export.doctor.gates import check_gates, feather_fault, propagation_fault
from portraiture.export.networks.build import Networks
from portraiture.export.pipeline.truth import Truth
from portraiture.export.runner import Feeds
from portraiture.export.writing import models as bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import GateError
from portraiture.training.models import propagation
from portraiture.training.models.filters import rnn as rnn_filter

SIZE = Size(64, 96)


@pytest.fixture(scope="module")
def feeds(astronaut: np.ndarray) -> dict[str, Feeds]:
    """Of each model, for the astronaut."""
    truth = Truth(Networks())
    return {name: truth.feeds(name, SIZE, astronaut) for name in ("perception", "filter", "portrait", "coarse")}


@pytest.mark.parametrize("name", ["perception", "filter", "portrait", "coarse"])
def test_the_shipped_networks_pass(feeds: dict[str, Feeds], name: str) -> None:
    check_gates(Networks().get(name), SIZE, feeds[name])


def raw_gates(spread: float) -> Tensor:
    return spread * torch.randn(1, 2 * propagation.GATES_PER_CHANNEL, 6, 9, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("spread", [0.01, 1.0, 1e4])
def test_bounded_gates_of_any_raw_ones_pass(spread: float) -> None:
    assert propagation_fault(raw_gates(spread)) == ""


Gates = tuple[Tensor, ...]


def unbounded(raw: Tensor) -> Gates:
    """Walls, but no bound."""
    return torch.chunk(propagation._walled(raw), 3, 1)


def signed(raw: Tensor) -> Gates:
    """Bounded by the sum of the gates, not of their absolute values."""
    gates = unbounded(raw)
    scale = torch.clamp(torch.stack(gates).sum(0).abs(), min=1.0)
    return tuple(g / scale for g in gates)


@pytest.mark.parametrize("broken", [unbounded, signed])
def test_gates_without_the_bound_are_refused_by_their_layer(
    feeds: dict[str, Feeds], monkeypatch: pytest.MonkeyPatch, broken: Callable[[Tensor], Gates]
) -> None:
    monkeypatch.setattr(propagation, "bound_gates", broken)
    expected = r"network\.perception\.propagation \(Propagation\): expected sum \|g\| <= 1, found .* on random input"
    for name in ("perception", "portrait"):
        with pytest.raises(GateError, match=expected):
            check_gates(Networks().get(name), SIZE, feeds[name])


@pytest.mark.parametrize("direction", range(4))
@pytest.mark.parametrize("neighbour", [None, 0, 2])
def test_each_missing_wall_is_seen(monkeypatch: pytest.MonkeyPatch, direction: int, neighbour: int | None) -> None:
    honest = propagation._wall

    def missing(d: int, n: int, height: int, width: int) -> tuple[list[float], list[float]]:
        if d != direction or (neighbour is not None and n != neighbour):
            return honest(d, n, height, width)
        if neighbour is None:
            return [1.0] * height, [1.0] * width  # the first line too
        return honest(d, 1, height, width)  # that of the first line only

    monkeypatch.setattr(propagation, "_wall", missing)
    assert f"point outside the image, found others going {propagation.DIRECTIONS[direction]}" in propagation_fault(
        raw_gates(1.0)
    )


def test_nan_gates_are_refused() -> None:
    raw = raw_gates(1.0)
    raw[0, 3, 2, 2] = float("nan")
    assert "found nan" in propagation_fault(raw)
    assert "found nan" in feather_fault(torch.full((1, 1, 1, 1), float("nan")), torch.zeros(1, 8, 4, 4))


@pytest.mark.parametrize("share", [1.01, -0.1])
def test_decays_outside_their_range_are_refused_by_their_layer(
    feeds: dict[str, Feeds], monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(rnn_filter, "decays", lambda _, gates: share * torch.ones_like(gates))
    with pytest.raises(GateError, match=r"network\.filter\.feather \(Feather\): expected decays in \[0, 1\), found"):
        check_gates(Networks().get("filter"), SIZE, feeds["filter"])


def test_an_export_is_refused_before_a_file_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(propagation, "bound_gates", unbounded)
    written: list[str] = []
    spec = BundleSpec(models=("perception",), sizes=(SIZE,))
    with pytest.raises(GateError, match="sum"):
        bundle.write_models(spec, tmp_path, Truth(Networks()), lambda line, *_: written.append(line))
    assert written == []
    assert list(tmp_path.iterdir()) == []
