"""Training of the paper recipe's SPNs on top of a fixed coarse estimator (paper 3.1, 3.2)."""

from enum import Enum

import torch
from torch import Tensor, nn

from portraiture.training import losses
from portraiture.training.data.augment import Rng
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.spn import PaperSpn
from portraiture.training.tasks.people_and_rooms import PeopleAndRooms, PeopleBatch
from portraiture.training.tasks.perception import body_losses, depth_loss


class SpnKind(Enum):
    """What an SPN refines; the value is the coarse estimator's channel."""

    SEGMENTATION = 0
    DEPTH = 1


class SpnTask:
    """Loss (1) for segmentation; (2) on rooms and (3) on people for depth.

    Args:
        photos: batches.
        coarse: the estimator whose map is refined; it is not trained.
        kind: what is refined.
    """

    def __init__(self, photos: PeopleAndRooms, coarse: MobileCoarse, kind: SpnKind) -> None:
        self.photos, self.coarse, self.kind = photos, coarse.eval(), kind

    def batch(self, step: int, rng: Rng) -> PeopleBatch:
        """Random people and rooms."""
        return self.photos.batch(step, rng)

    def _refined(self, model: nn.Module, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Refined and coarse logits (N, 1, H, W)."""
        with torch.no_grad():
            coarse = torch.split(self.coarse(rgb), 1, 1)[self.kind.value]
        return model(rgb, coarse).float(), coarse.float()

    def loss(self, model: nn.Module, batch: PeopleBatch) -> tuple[Tensor, dict[str, float]]:
        """The paper's losses."""
        if self.kind is SpnKind.SEGMENTATION:
            mask = losses.cross_entropy(self._refined(model, batch.people)[0], batch.masks, batch.known)
            return mask, {"mask": float(mask.detach())}
        depth = depth_loss(self._refined(model, batch.rooms)[0], batch)
        if not len(batch.people):
            return depth, {"depth": float(depth.detach())}
        body, _ = body_losses(self._refined(model, batch.people)[0], batch.masks, batch.selfie, batch.one_body)
        return depth + 0.2 * body, {"depth": float(depth.detach()), "body": float(body.detach())}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Refined and coarse figures on the held-out photos."""
        assert isinstance(model, PaperSpn)
        name = self.kind.name.lower().replace("segmentation", "mask")

        def predict(rgb: Tensor) -> dict[str, Tensor]:
            refined, coarse = self._refined(model, rgb)
            return {name: torch.sigmoid(refined), f"{name}_coarse": torch.sigmoid(coarse)}

        return self.photos.figures(predict)
