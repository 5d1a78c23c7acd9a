"""What the training loop asks of a task."""

from typing import Protocol, TypeVar

import numpy as np
from torch import Tensor, nn

Batch = TypeVar("Batch")


class Task(Protocol[Batch]):
    """What is trained: batches, a loss and a validation.

    Under ``Schedule.bfloat16`` and on CUDA a model returns bfloat16 within ``loss``, which casts it to float32 first.
    On CUDA ``loss`` gets its batch there, and networks that are attributes of the task are there; in ``evaluate`` the
    model and those networks take and give CPU tensors.
    """

    def batch(self, step: int, rng: np.random.Generator) -> Batch:
        """The batch of a step; called on another thread."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The scalar to minimise and what to log."""
        ...

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Validation figures; the run is not trained on these photos."""
        ...
