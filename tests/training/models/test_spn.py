"""The paper recipe's SPN; one network of 35 M parameters serves all tests."""

import pytest
import torch
from torch import Tensor

from portraiture.training.models.spn import PaperSpn

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
