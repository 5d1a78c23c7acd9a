"""Training of the plain segmentation baselines (FCN, PFCN+) on the same batches and loss as ours."""

import torch
from torch import Tensor, nn

from portraiture.training.data.augment import Rng
from portraiture.training.tasks.people_and_rooms import PeopleAndRooms, PeopleBatch
from portraiture.training.tasks.perception import EMPTY_ROOM_WEIGHT, empty_losses, mask_loss


class MaskTask:
    """(1) weighted at the outline, with Dice, on people; (1) on rooms, empty but for who was put there.

    Args:
        photos: batches.
    """

    def __init__(self, photos: PeopleAndRooms) -> None:
        self.photos = photos

    def batch(self, step: int, rng: Rng) -> PeopleBatch:
        """Random people and rooms."""
        return self.photos.batch(step, rng)

    def loss(self, model: nn.Module, batch: PeopleBatch) -> tuple[Tensor, dict[str, float]]:
        """The mask terms of the perception loss."""
        people = model(batch.people).float()
        mask = mask_loss(people, batch)
        empty = empty_losses((model(batch.rooms).float(),), batch) if len(batch.rooms) else mask.new_zeros(())
        return mask + EMPTY_ROOM_WEIGHT * empty, {"mask": float(mask.detach()), "empty": float(empty.detach())}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Figures on the held-out photos."""
        return self.photos.figures(lambda rgb: {"mask": torch.sigmoid(model(rgb))})
