"""The paper recipe's SPN; one network of 35 M parameters serves all tests."""

import pytest
import torch
from torch import Tensor

from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.spn import PaperSpn, RefinedCoarse

SIZE = (64, 64)


@pytest.fixture(scope="module")
def spn() -> PaperSpn:
    torch.manual_seed(3)
    return PaperSpn(hidden=2).eval()


def inputs(n: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    return torch.rand(n, 3, *SIZE, generator=generator), torch.rand(n, 1, *SIZE, generator=generator)


def test_shape_and_batch_independence(spn: PaperSpn) -> None:
    rgb, coarse = inputs(2)
    with torch.no_grad():
        together = spn(rgb, coarse)
        singles = torch.cat([spn(rgb[k : k + 1], coarse[k : k + 1]) for k in range(2)])
    assert together.shape == (2, 1, *SIZE)
    torch.testing.assert_close(together, singles, rtol=0, atol=1e-5)


def test_the_result_is_the_coarse_map_plus_a_correction(spn: PaperSpn) -> None:
    rgb, coarse = inputs(1)
    weight, bias = spn.merge.weight.detach().clone(), spn.merge.bias
    assert bias is not None
    kept = bias.detach().clone()
    try:
        torch.nn.init.zeros_(spn.merge.weight)
        torch.nn.init.zeros_(bias)
        with torch.no_grad():
            assert torch.equal(spn(rgb, coarse), coarse)
    finally:
        with torch.no_grad():
            spn.merge.weight.copy_(weight)
            bias.copy_(kept)
    with torch.no_grad():
        assert not torch.equal(spn(rgb, coarse), coarse)


def test_one_way_takes_from_the_straight_neighbour_alone(spn: PaperSpn) -> None:
    rgb, coarse = inputs(1)
    with torch.no_grad():
        three = spn(rgb, coarse)
        spn.ways = 1
        try:
            one = spn(rgb, coarse)
            # gates of the diagonal neighbours, the first and last third of the channels, no longer count
            third = spn.gates.out_channels // 3
            kept = spn.gates.weight.detach().clone()
            spn.gates.weight[:third] += 5
            spn.gates.weight[-third:] -= 5
            assert torch.equal(spn(rgb, coarse), one)
            spn.gates.weight[third : 2 * third] += 5
            assert not torch.equal(spn(rgb, coarse), one)
        finally:
            spn.ways = 3
            spn.gates.weight.copy_(kept)
    assert not torch.equal(one, three)


def test_a_coarse_map_of_either_kind_is_refined(spn: PaperSpn) -> None:
    torch.manual_seed(5)
    coarse = MobileCoarse().eval()
    rgb, _ = inputs(1)
    with torch.no_grad():
        maps = torch.split(coarse(rgb), 1, 1)
        for channel in (0, 1):
            assert torch.equal(RefinedCoarse(coarse, spn, channel)(rgb), spn(rgb, maps[channel]))
