"""The RNN filter (paper 3.4): a guidance CNN steers two cascaded groups of four-direction recursions.

It learns equation (10). What the equation already tells is built in, so that little is left to learn:

* the guided kernel (6) sees background only: the recursions run on (1 - m) I and on (1 - m), and the quotient of
  the two is the blurred background;
* the reach of a recursion grows with the disk radius of its pixel, and is zero where the radius is zero;
* the output is I + (1 - m) * strength * (blurred - I): the residual added to the input. In-focus pixels and
  aperture 0 give the input itself.

Learned are the gates (decay by pixel, direction, group and head), the weights by which two heads of different reach
are mixed into something close to a disk, the strength, and a correction of the mask towards the renderer's matte.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training.models.blocks import conv_bn_relu6, require_multiple, upsample
from portraiture.training.models.lens import blur_radius_px
from portraiture.training.models.recursion import smooth_four_directions

HEADS = 2
GROUPS = 2
DIRECTIONS = 4
SCALE = 2
STRIDE = 16
"""Height and width of the input are multiples of this."""

_RADIUS_UNIT_PX = 10.0
_LEAST_WEIGHT = 4e-3


class Guidance(nn.Module):
    """Encoder-decoder with concatenation skips: (N, 6, H, W) -> gates, mix and strength at 1/2, matte at full size."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 24, 32, 48)) -> None:
        super().__init__()
        w2, w4, w8, w16 = widths
        self.down2 = conv_bn_relu6(6, w2, 3, stride=2)
        self.down4 = nn.Sequential(conv_bn_relu6(w2, w4, 3, stride=2), conv_bn_relu6(w4, w4))
        self.down8 = nn.Sequential(conv_bn_relu6(w4, w8, 3, stride=2), conv_bn_relu6(w8, w8))
        self.down16 = nn.Sequential(conv_bn_relu6(w8, w16, 3, stride=2), conv_bn_relu6(w16, w16))
        self.up8 = conv_bn_relu6(w16 + w8, w8)
        self.up4 = conv_bn_relu6(w8 + w4, w4)
        self.up2 = conv_bn_relu6(w4 + w2, w2)
        self.gates = nn.Conv2d(w2, HEADS * GROUPS * DIRECTIONS, 3, padding=1)
        self.mix = nn.Conv2d(w2, 2, 3, padding=1)
        self.matte = nn.ConvTranspose2d(w2, 1, 4, stride=2, padding=1)
        for layer in (self.gates, self.mix, self.matte):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x2 = self.down2(x)
        x4 = self.down4(x2)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        y = self.up8(torch.cat([upsample(x16, 2), x8], 1))
        y = self.up4(torch.cat([upsample(y, 2), x4], 1))
        y = self.up2(torch.cat([upsample(y, 2), x2], 1))
        return self.gates(y), self.mix(y), self.matte(y)


class RnnFilter(nn.Module):
    """(rgb, mask, depth, aperture, focus) -> rgb, at the input's size; H and W multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.guidance = Guidance()
        # softplus(reach) is the radius at which half of a gate's range is used, one a head: short and long
        self.reach = nn.Parameter(torch.tensor([[4.0], [1.5]]).reshape(HEADS, 1, 1, 1))  # 4 px, 1.5 px before softplus

    def forward(self, rgb: Tensor, mask: Tensor, depth: Tensor, aperture: Tensor, focus: Tensor) -> Tensor:
        """Render.

        Args:
            rgb: (N, 3, H, W) in 0..1.
            mask, depth: (N, 1, H, W) in 0..1.
            aperture: largest disk radius as a share of the diagonal, (N, 1, 1, 1).
            focus: depth that stays sharp, (N, 1, 1, 1); negative: the person's.

        Returns:
            (N, 3, H, W) in 0..1.
        """
        return self.blur(rgb, mask, depth, blur_radius_px(mask, depth, aperture, focus))

    def blur(self, rgb: Tensor, mask: Tensor, depth: Tensor, radius_px: Tensor) -> Tensor:
        """The same for a given disk radius in pixels, (N, 1, H, W); what training calls on crops."""
        require_multiple(rgb, STRIDE)
        gates, mix, matte = self.guidance(torch.cat([rgb, mask, depth, radius_px / _RADIUS_UNIT_PX], 1))
        background = 1 - mask
        # weighted background and its weight, at half size: (N, 4, H/2, W/2)
        weighted = F.avg_pool2d(torch.cat([rgb * background, background], 1), SCALE)
        radius = F.avg_pool2d(radius_px, SCALE) / SCALE
        short, long = torch.split(self._recursions(weighted, radius, gates), rgb.shape[0], 0)
        spread, strength = torch.split(mix, 1, 1)
        # weights of the heads sum to 1; one may be a little negative, which flattens the mixture's peak
        total = short + (0.25 + torch.tanh(spread)) * (long - short)
        # divided at full size: a half-size cell inside the person has weight 0 and must not count as black
        total = upsample(total, SCALE)
        # where hardly any background is in reach the pixel itself counts: no division by nearly nothing, which would
        # make float32 noise visible, and a constant picture stays constant
        blurred = (total[:, :3] + _LEAST_WEIGHT * rgb) / (torch.clamp(total[:, 3:], min=0.0) + _LEAST_WEIGHT)
        amount = torch.clamp(radius * (1 + strength), 0.0, 1.0)
        edge = 4 * mask * background  # the matte differs from the mask only where the mask is undecided
        alpha = torch.clamp(mask + edge * torch.tanh(matte), 0.0, 1.0)
        residual = (1 - alpha) * upsample(amount, SCALE) * (blurred - rgb)
        return torch.clamp(rgb + residual, 0.0, 1.0)

    def _recursions(self, x: Tensor, radius: Tensor, gates: Tensor) -> Tensor:
        """Both groups for all heads, stacked on the batch axis so that a step is one operation.

        Args:
            x: (N, 4, H/2, W/2).
            radius: (N, 1, H/2, W/2), pixels at half size.
            gates: (N, GROUPS * DIRECTIONS * HEADS, H/2, W/2).

        Returns:
            (HEADS * N, 4, H/2, W/2).
        """
        # 0 at radius 0, below 1 always
        share = torch.cat([radius / (radius + F.softplus(reach)) for reach in torch.split(self.reach, 1, 0)], 0)
        x = torch.cat([x] * HEADS, 0)
        parts = torch.split(gates, 1, 1)
        for group in range(GROUPS):
            decays = []
            for direction in range(DIRECTIONS):
                first = (group * DIRECTIONS + direction) * HEADS
                decays.append(share * torch.sigmoid(torch.cat(parts[first : first + HEADS], 0)))
            x = smooth_four_directions(x, decays)
        return x
