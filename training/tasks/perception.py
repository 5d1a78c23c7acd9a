"""Training of the mobile perception network, and of its coarse part alone."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.training import losses
from portraiture.training.data.augment import Rng
from portraiture.training.data.depth_order import MIN_LEVEL, draw_point_pairs
from portraiture.training.data.ground import Contact, find_contacts
from portraiture.training.data.nyu import LEVELS_PER_METRE
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.perception import MobilePerception, PerceptionLogits
from portraiture.training.tasks.held_out import PAIRS_PER_PHOTO
from portraiture.training.tasks.people_and_rooms import PeopleAndRooms, PeopleBatch

BODY_DELTA = 0.01
"""Margin on the squared depth difference in (3), before the sigmoid; chosen, not measured."""

EMPTY_ROOM_WEIGHT = 0.3
"""Weight of an empty mask on rooms of nobody; chosen, not measured."""

HARD_WEIGHT, HARD_SHARE = 0.1, 1 / 24
"""Weight of a photo's worst pixels, and their share of it: a passer-by in the background covers as much. Chosen, not
measured."""

FIRST_WEIGHT = 0.2
"""Weight of the mask of the first look, at half the photo's size; chosen, not measured."""

GROUND_WEIGHT = 0.5
"""Weight of the ground at people's feet; chosen, not measured."""

Z_OF_LOG_DEPTH = 1.5
"""Depth before the sigmoid, for a log-depth in natural units; chosen, so that 1 to 10 m fill most of 0..1."""


class PerceptionTask:
    """(1) with Dice on masks; (2) and log-depth on rooms; (3), person before background and the ground on people.

    Args:
        photos: batches.
        depth_weight: weight of the rooms' depth; the masks' is 1.
        body_weight: weight of (3); 0 leaves it out.
    """

    def __init__(self, photos: PeopleAndRooms, depth_weight: float = 0.5, body_weight: float = 0.2) -> None:
        self.photos, self.depth_weight, self.body_weight = photos, depth_weight, body_weight

    def batch(self, step: int, rng: Rng) -> PeopleBatch:
        """Random people and rooms."""
        return self.photos.batch(step, rng)

    def loss(self, model: nn.Module, batch: PeopleBatch) -> tuple[Tensor, dict[str, float]]:
        """(1) with Dice on masks; (2) and log-depth on rooms; (3) and person-before-background on people."""
        assert isinstance(model, MobilePerception)
        terms: dict[str, Tensor] = {}
        total = batch.people.new_zeros(())
        if len(batch.people):
            people = PerceptionLogits(*(z.float() for z in model.logits(batch.people)))
            mask = mask_loss(people.mask, batch)
            mask = mask + HARD_WEIGHT * losses.hardest_cross_entropy(people.mask, batch.masks, HARD_SHARE, batch.known)
            coarse = losses.cross_entropy(people.coarse_mask, batch.masks, batch.known)
            cells, known = F.avg_pool2d(batch.masks, 16), (F.avg_pool2d(batch.known, 16) == 1).float()
            first = losses.cross_entropy(people.first[:, :1], cells, known)
            body, order = body_losses(people.depth, batch.masks, batch.selfie, batch.one_body)
            contacts = contacts_of(batch.masks, batch.as_taken)
            ground = ground_loss(people.depth, contacts) + 0.5 * ground_loss(people.coarse_depth, contacts)
            total = (
                mask
                + 0.4 * coarse
                + FIRST_WEIGHT * first
                + self.body_weight * body
                + 0.1 * order
                + GROUND_WEIGHT * ground
            )
            terms |= {"mask": mask, "coarse": coarse, "first": first, "body": body, "order": order, "ground": ground}
        if len(batch.rooms):
            rooms = PerceptionLogits(*(z.float() for z in model.logits(batch.rooms)))
            depth = depth_loss(rooms.depth, batch) + 0.5 * depth_loss(rooms.coarse_depth, batch)
            empty = empty_losses((rooms.mask, rooms.coarse_mask), batch)
            total = total + self.depth_weight * depth + EMPTY_ROOM_WEIGHT * empty
            terms |= {"depth": depth, "empty": empty}
        return total, {k: float(v.detach()) for k, v in terms.items()}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Refined and coarse figures on the held-out photos."""
        assert isinstance(model, MobilePerception)

        def predict(rgb: Tensor) -> dict[str, Tensor]:
            m = model(rgb)
            return {
                "mask": m.mask,
                "mask_coarse": m.coarse_mask,
                "depth": m.depth,
                "depth_coarse": m.coarse_depth,
            }

        return self.photos.figures(predict)


class CoarseTask(PerceptionTask):
    """(1) on masks, (2) and log-depth on rooms, for the coarse estimator alone."""

    def loss(self, model: nn.Module, batch: PeopleBatch) -> tuple[Tensor, dict[str, float]]:
        """The coarse terms of the perception loss."""
        terms: dict[str, Tensor] = {}
        total = batch.people.new_zeros(())
        if len(batch.people):
            terms["mask"] = losses.cross_entropy(model(batch.people).float()[:, :1], batch.masks, batch.known)
            total = terms["mask"]
        if len(batch.rooms):
            rooms = model(batch.rooms).float()
            terms["depth"], terms["empty"] = depth_loss(rooms[:, 1:], batch), empty_losses((rooms[:, :1],), batch)
            total = total + self.depth_weight * terms["depth"] + EMPTY_ROOM_WEIGHT * terms["empty"]
        return total, {k: float(v.detach()) for k, v in terms.items()}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Figures on the held-out photos."""
        assert isinstance(model, MobileCoarse)

        def predict(rgb: Tensor) -> dict[str, Tensor]:
            mask, depth = torch.split(torch.sigmoid(model(rgb)), 1, 1)
            return {"mask": mask, "depth": depth}

        return self.photos.figures(predict)


def mask_loss(logits: Tensor, batch: PeopleBatch) -> Tensor:
    """(1) weighted at the outline, with Dice, where the mask is known; logits (N, 1, H, W) of the batch's people."""
    weight = losses.edge_weight(batch.masks) * batch.known
    return losses.cross_entropy(logits, batch.masks, weight) + losses.dice(logits, batch.masks, batch.known)


def empty_losses(logits: tuple[Tensor, ...], batch: PeopleBatch) -> Tensor:
    """(1) on the rooms that show nobody but who was put there, summed over the maps (M, 1, H, W)."""
    empty = batch.empty
    if not bool(empty.any()):
        return logits[0].new_zeros(())
    return torch.stack([losses.cross_entropy(z[empty], batch.room_masks[empty]) for z in logits]).sum()


def depth_loss(depth: Tensor, batch: PeopleBatch) -> Tensor:
    """(2) on random pairs of points, plus :func:`losses.log_depth` where the levels have NYU's unit.

    Args:
        depth: of the batch's rooms before the sigmoid, (M, 1, H, W).
        batch: with at least one room.
    """
    z, level = depth.flatten(1), batch.levels.flatten(1)
    rng = np.random.default_rng(int(level.sum().item()) & 0xFFFF)
    rank = 0 * z.sum()  # a gradient, also where no crop holds a pair
    for k in range(z.shape[0]):
        pairs = draw_point_pairs(level[k].cpu().numpy(), PAIRS_PER_PHOTO, rng)
        a, b, relation = (torch.from_numpy(v).to(z.device) for v in (pairs.a, pairs.b, pairs.relation))
        if len(a):
            rank = rank + losses.ranking(z[k][a], z[k][b], relation) / z.shape[0]
    if not bool(batch.metric.any()):
        return rank
    known = (level > MIN_LEVEL).float()
    target = Z_OF_LOG_DEPTH * (torch.log(level.clamp(min=MIN_LEVEL) / LEVELS_PER_METRE) - 1.0)
    metric = batch.metric
    return rank + 0.5 * losses.log_depth(z[metric], target[metric], known[metric]) * metric.float().mean()


def contacts_of(masks: Tensor, as_taken: Tensor) -> list[list[Contact]]:
    """The feet in each photo and the ground around them, at a quarter of the size.

    Args:
        masks: people, (N, 1, H, W) in 0..1.
        as_taken: (N, 1, H, W), 1 where the photo shows what the camera saw, 0 where nothing is learnt.
    """
    people, taken = F.avg_pool2d(masks, 4)[:, 0] > 0.5, F.avg_pool2d(as_taken, 4)[:, 0] == 1
    pairs = zip(people.cpu().numpy(), taken.cpu().numpy(), strict=True)
    return [find_contacts(mask, seen) if seen.any() else [] for mask, seen in pairs]


def ground_loss(z: Tensor, contacts: list[list[Contact]]) -> Tensor:
    """The ground around people's feet: beside a foot as far as the foot, below nearer, above farther, as on a plane.

    (2) alone, on pairs, makes the ground far at once behind the feet. A mean over the photos in which feet are seen.

    Args:
        z: depth before the sigmoid, (N, 1, H, W).
        contacts: of each photo, from :func:`contacts_of`.
    """
    total, small_z = z.new_zeros(()), F.avg_pool2d(z, 4)
    for plane, found in zip(small_z, contacts, strict=True):
        for contact in found:
            total = total + _contact_loss(plane[0], contact) / len(found)
    return total / max(1, sum(map(bool, contacts)))


def _contact_loss(z: Tensor, contact: Contact) -> Tensor:
    """The terms of one foot; z (h, w)."""
    foot, *ground = (torch.from_numpy(part).to(z.device) for part in contact.parts())
    expected = z[foot].mean() + Z_OF_LOG_DEPTH * torch.from_numpy(contact.log_depth).to(z.device)
    return torch.stack([F.smooth_l1_loss(z[part], expected[part], beta=0.05) for part in ground]).sum()


def body_losses(z: Tensor, masks: Tensor, selfie: Tensor, one_body: Tensor) -> tuple[Tensor, Tensor]:
    """(3) on every body; on selfies also (2) with the background always farther than the person (paper 3.3).

    Args:
        z: depth before the sigmoid, (N, 1, H, W).
        masks: person, (N, 1, H, W) in 0..1.
        selfie: flags (N,) of photos whose background is farther than the person everywhere.
        one_body: flags (N,) of photos of one body alone; the others are left out of both.
    """
    small_z = F.avg_pool2d(z, 4)
    small_mask = F.avg_pool2d(masks, 4)
    body, order = z.new_zeros(()), z.new_zeros(())
    n = z.shape[0]
    for k in range(n):
        inside, outside = small_z[k][small_mask[k] > 0.95], small_z[k][small_mask[k] < 0.05]
        if bool(one_body[k]) and inside.numel() > 16:
            body = body + losses.body_consistency(inside, BODY_DELTA) / n
            if bool(selfie[k]) and outside.numel() > 16:
                relation = torch.ones_like(outside)
                near = inside.mean().expand_as(outside)
                order = order + losses.ranking(outside, near, relation) / n
    return body, order
