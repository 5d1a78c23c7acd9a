"""Each exported model as a module with the contract's inputs and outputs."""

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.export.networks.exported import Exported
from portraiture.training.models.coarse import COARSE_SCALE
from portraiture.training.models.filters.base import LensFilter
from portraiture.training.models.perception import MobilePerception

if TYPE_CHECKING:
    from portraiture.export.networks.own import OwnPerception

_LEAST_SHARE = 1e-3
"""Given coarse maps are kept this far from 0 and 1, where the logit is infinite."""

SPN_TASKS = {"segmentation_spn": 0, "depth_spn": 1}


class Coarse(nn.Module):
    def __init__(self, perception: MobilePerception) -> None:
        super().__init__()
        self.coarse = perception.coarse

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        mask, depth = torch.split(torch.sigmoid(self.coarse(rgb)), 1, 1)
        return mask, depth


class Spn(nn.Module):
    """One task's propagation, given a coarse map of the task; the other task's coarse map stays the network's own."""

    def __init__(self, perception: MobilePerception, task: int) -> None:
        super().__init__()
        self.perception = perception
        self.task = task  # 0 mask, 1 depth

    def forward(self, rgb: Tensor, given: Tensor) -> tuple[Tensor]:
        own, decoded8, f2, f4, _ = self.perception.coarse.features(rgb)
        # a clamp in another form: XNNPACK of TensorFlow 2.21 cannot prepare a maximum that follows an average pool
        share = _LEAST_SHARE + F.relu(F.avg_pool2d(given, COARSE_SCALE) - _LEAST_SHARE)
        share = 1 - _LEAST_SHARE - F.relu(1 - _LEAST_SHARE - share)
        logit = torch.log(share / (1 - share))
        planes = list(torch.split(own, 1, 1))
        planes[self.task] = logit
        refined = self.perception.refine(rgb, torch.cat(planes, 1), decoded8, f2, f4)
        return (torch.sigmoid(refined[self.task]),)


class Perception(nn.Module):
    def __init__(self, perception: "MobilePerception | OwnPerception") -> None:
        super().__init__()
        self.perception = perception

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.perception(rgb)
        return maps.mask, maps.depth


def parts_of(network: Exported) -> tuple[Exported, ...]:
    """The two networks that the fused model runs one after the other, in its layout; none of any other model."""
    if network.name != "portrait":
        return ()
    fused: Any = network.network  # Portrait, which a render does not load
    own = (("perception", Perception(fused.perception)), ("filter", Filter(fused.filter)))
    return tuple(Exported(name, part, network.layout).eval() for name, part in own)


class Filter(nn.Module):
    def __init__(self, lens_filter: LensFilter) -> None:
        super().__init__()
        self.filter = lens_filter

    def forward(self, rgb: Tensor, mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> tuple[Tensor]:
        """A portrait.

        Args:
            rgb: (N, 3, H, W) in 0..1.
            mask, depth: (N, 1, H, W) in 0..1.
            aperture: (N, 1, 1, 1), largest disk radius as a share of the diagonal, 0..0.04.
            focus: (N, 1, 1, 1), depth that stays sharp, 0..1; negative: the person's, see ``scene_depth``.
        """
        return (self.filter(rgb, mask, depth, aperture, focus),)
