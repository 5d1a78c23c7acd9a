"""Baselines of Table 1: FCN (Long et al. [23]) and PFCN+ (Shen et al. [25]), on our encoder for equal data and budget.

FCN: a 1x1 score at 1/32, 1/16 and 1/8, each upsampled and added to the next (FCN-8s), then bilinear to full size.
PFCN+: the same with three more input channels, the position (x, y) in -1..1 and the mean mask of the training set as
shape. Shen et al. align position and shape by facial features; here they are those of the frame, since the photos of
their set are cropped to the face and no face detector is part of this project.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import require_multiple, upsample
from portraiture.training.models.coarse import COARSE_SCALE, STRIDE
from portraiture.training.models.mobilenet import FEATURE_CHANNELS, MobileNetV2

SHAPE_SIZE = (64, 48)
"""Height and width at which the mean mask is kept, in pixels: enough for a blurred outline. Chosen."""


class Fcn(nn.Module):
    """rgb (N, 3, H, W) in 0..1 -> mask logits (N, 1, H, W); H and W multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = MobileNetV2()
        _, _, f8, f16, f32 = FEATURE_CHANNELS
        self.score8, self.score16, self.score32 = (nn.Conv2d(n, 1, 1) for n in (f8, f16, f32))

    def _input(self, rgb: Tensor) -> Tensor:
        return rgb * 2 - 1

    def forward(self, rgb: Tensor) -> Tensor:
        require_multiple(rgb, STRIDE)
        _, _, f8, f16, f32 = self.encoder(self._input(rgb))
        score = upsample(self.score32(f32), 2) + self.score16(f16)
        return upsample(upsample(score, 2) + self.score8(f8), COARSE_SCALE)


class PfcnPlus(Fcn):
    """FCN with position and shape channels; they begin without influence."""

    shape: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.prior = nn.Conv2d(3, 3, 1)
        nn.init.zeros_(self.prior.weight)
        nn.init.zeros_(self.prior.bias)  # type: ignore[arg-type]
        self.register_buffer("shape", torch.zeros(1, 1, *SHAPE_SIZE))

    def set_shape(self, mean_mask: Tensor) -> None:
        """Take the mean mask of the training set (1, 1, H, W) in 0..1."""
        self.shape.copy_(F.interpolate(mean_mask, SHAPE_SIZE, mode="area"))

    def _input(self, rgb: Tensor) -> Tensor:
        n, _, h, w = rgb.shape
        y = torch.linspace(-1, 1, h, device=rgb.device).reshape(1, 1, h, 1).expand(1, 1, h, w)
        x = torch.linspace(-1, 1, w, device=rgb.device).reshape(1, 1, 1, w).expand(1, 1, h, w)
        shape = F.interpolate(self.shape, (h, w), mode="bilinear", align_corners=False)
        prior: Tensor = self.prior(torch.cat([x, y, shape], 1))
        return super()._input(rgb) + prior.expand(n, -1, -1, -1)
