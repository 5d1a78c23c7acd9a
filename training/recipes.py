"""Recipes: everything that a training run needs, by name. Each states its command, run time and expected metric."""

from dataclasses import dataclass
from pathlib import Path

import torch

from portraiture.training.loop import Schedule, Trainer
from portraiture.training.models.encoder_weights import load_mobilenet_tflite
from portraiture.training.models.perception import MobilePerception
from portraiture.training.perception_task import PerceptionBatch, PerceptionData, PerceptionTask, Stage


@dataclass(frozen=True)
class PerceptionRecipe:
    """Training of :class:`MobilePerception` with AdamW."""

    stages: tuple[Stage, ...]
    encoder_rate: float = 3e-4
    decoder_rate: float = 2e-3
    weight_decay: float = 1e-4

    def schedule(self) -> Schedule:
        """Batch-norm statistics are frozen once the photos are large and the batches small."""
        return Schedule(steps=self.stages[-1].until, validate_every=400, freeze_norm_from=self.stages[0].until)


PERCEPTION_RECIPES = {
    # portraiture train perception --recipe mobile ...: about 50 min on 2 cores.
    "mobile": PerceptionRecipe((Stage(1700, 256, 192, 12, 4), Stage(2900, 512, 384, 3, 1))),
    # a few steps at a small size, for tests
    "smoke": PerceptionRecipe((Stage(2, 64, 64, 2, 1), Stage(4, 96, 64, 2, 1))),
}


def perception_trainer(
    recipe: PerceptionRecipe, data: PerceptionData, run: Path, encoder: Path | None
) -> Trainer[PerceptionBatch]:
    """Build model, optimizer and task of a recipe.

    Args:
        encoder: the public MobileNetV2 ``.tflite``; None starts from random weights.
    """
    torch.manual_seed(0)
    model = MobilePerception()
    if encoder is not None:
        load_mobilenet_tflite(model.coarse.encoder, encoder)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    own = {id(p) for p in model.coarse.encoder.parameters()}
    groups = [
        {"params": list(model.coarse.encoder.parameters()), "lr": recipe.encoder_rate},
        {"params": [p for p in model.parameters() if id(p) not in own], "lr": recipe.decoder_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    task = PerceptionTask(data, recipe.stages)
    metadata: dict[str, object] = {"model": "MobilePerception", "recipe": repr(recipe)}
    return Trainer(model, optimizer, task, recipe.schedule(), run, metadata)
