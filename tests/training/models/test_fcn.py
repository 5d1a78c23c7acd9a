"""Baselines of Table 1."""

import torch

from portraiture.training.models.blocks import LargeKernel
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.propagation import bound_gates, straight_only


def test_pfcn_begins_as_the_fcn_and_then_uses_its_shape() -> None:
    torch.manual_seed(3)
    pfcn = PfcnPlus().eval()
    plain = Fcn().eval()
    plain.load_state_dict({k: v for k, v in pfcn.state_dict().items() if k != "shape" and not k.startswith("prior")})
    rgb = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(pfcn(rgb), plain(rgb))
        pfcn.prior.weight.fill_(0.5)
        before = pfcn(rgb)
        pfcn.set_shape(torch.ones(1, 1, 128, 96))
        assert not torch.equal(before, pfcn(rgb))
    assert before.shape == (2, 1, 64, 64)


def test_one_way_gates_have_no_diagonal_neighbours() -> None:
    raw = torch.rand(1, 24, 5, 4) + 0.1
    left, middle, right = bound_gates(straight_only(raw))
    assert not left.any()
    assert not right.any()
    assert all(direction.any() for direction in torch.chunk(middle, 4, 1))


def test_large_kernels_begin_as_the_identity_and_then_see_far() -> None:
    torch.manual_seed(4)
    layer = LargeKernel(8).eval()
    x = torch.rand(1, 8, 9, 9)
    with torch.no_grad():
        assert torch.equal(layer(x), x)
        torch.nn.init.normal_(layer.project.weight)
        before = layer(x)
        x[0, :, 4, 1] += 5
        assert not torch.equal(layer(x)[0, :, 4, 4], before[0, :, 4, 4])
