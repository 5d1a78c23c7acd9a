"""The float64 networks give what they give alone, however often they are asked, and run once on each input."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from portraiture.export.contract import Size
from portraiture.export.networks.build import Networks
from portraiture.export.networks.exported import Exported, TorchRunner, torch_inputs
from portraiture.export.pipeline.memory import Memory
from portraiture.export.pipeline.recall import RecallingRunner
from portraiture.export.runner import Feeds
from portraiture.reference.errors import InputError

SIZE = Size(32, 32)
FEEDS: Feeds = {"rgb": np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8) / 255,
                "aperture": 0.04, "focus": 0.3}  # fmt: skip


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks()


def test_a_portrait_is_the_fused_networks_own(networks: Networks) -> None:
    found = RecallingRunner(networks, "portrait", SIZE, Memory()).run(FEEDS)
    alone = TorchRunner(networks.get("portrait", dtype=torch.float64), SIZE).run(FEEDS)
    assert found.keys() == alone.keys()
    for name, value in alone.items():
        np.testing.assert_array_equal(found[name], value)
        assert found[name].dtype == np.float64


def test_perception_is_run_once_for_each_photo(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    run: Counter[str] = Counter()
    honest = Exported.forward

    def forward(network: Exported, *inputs: Any) -> Any:
        run[network.name] += 1
        return honest(network, *inputs)

    monkeypatch.setattr(Exported, "forward", forward)
    memory = Memory()
    perception, portrait = (RecallingRunner(networks, n, SIZE, memory) for n in ("perception", "portrait"))
    photo: Feeds = {"rgb": FEEDS["rgb"]}
    first = perception.run(photo)
    exact: Feeds = {"rgb": np.asarray(FEEDS["rgb"], np.float32)}
    np.testing.assert_array_equal(perception.run(exact)["mask"], first["mask"])
    for focus in (0.1, 0.3, 0.3):
        np.testing.assert_array_equal(portrait.run({**FEEDS, "focus": focus})["mask"], first["mask"])
    assert run == {"perception": 1, "filter": 2}
    other: Feeds = {"rgb": np.asarray(FEEDS["rgb"])[::-1]}
    assert not np.array_equal(perception.run(other)["mask"], first["mask"])
    assert run["perception"] == 2


def test_feeds_are_checked(networks: Networks) -> None:
    runner = RecallingRunner(networks, "perception", SIZE, Memory())
    with pytest.raises(InputError, match="expected inputs rgb, found none"):
        runner.run({})
    with pytest.raises(InputError, match="expected inputs rgb, found none"):
        torch_inputs(networks.get("perception"), SIZE, {})
