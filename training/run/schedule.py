"""How long and how fast a run trains, and the average of its weights."""

import math
from dataclasses import dataclass

import torch
from torch import nn

from portraiture.reference.errors import OptionError


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: optimizer steps in all.
        warmup_steps: linear ramp of the learning rate.
        validate_every: steps between validations (and checkpoints).
        ema_decay: decay of the averaged weights; they are what is validated and shipped.
        bfloat16: forward passes and their gradients in bfloat16 where the processor has it (on one without
            it, a step took seven times as long); losses, weights and validation stay float32. On CUDA always.
        freeze_norm_from: batch-norm statistics are fixed from this step on, as small batches of large photos need.
        clip_norm: gradient norm limit.
        seed: decides all random choices.
        patience: stop after this many validations without a better ``watch``; None trains all steps.
        watch: the validation figure whose best average is kept as ``best.safetensors``; None keeps none.
        watch_larger_is_better: otherwise smaller is.
    """

    steps: int
    warmup_steps: int = 100
    validate_every: int = 250
    ema_decay: float = 0.995
    freeze_norm_from: int | None = None
    clip_norm: float = 1.0
    seed: int = 0
    bfloat16: bool = False
    patience: int | None = None
    watch: str | None = None
    watch_larger_is_better: bool = True

    def __post_init__(self) -> None:
        if self.patience is not None and self.patience < 1:
            raise OptionError(f"patience: expected 1 validation or more, found {self.patience}; raise --patience")
        if self.patience is not None and self.watch is None:
            raise OptionError("patience: expected the figure that must improve, found none; add --watch NAME")

    def improves(self, value: float, best: float | None) -> bool:
        """Whether a watched figure is better than the best so far; NaN never is."""
        if best is None or math.isnan(value):
            return not math.isnan(value)
        return value > best if self.watch_larger_is_better else value < best

    def rate(self, step: int) -> float:
        """Share of the base learning rate: linear warm-up, then half a cosine to 0.1 %."""
        warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
        return warm * (0.5 * (1 + math.cos(math.pi * step / self.steps)) + 1e-3)


class Averaged:
    """Exponential moving average of a model's state."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Average in the model's state after a step; the decay grows from 0 at the start."""
        decay = min(self.decay, (step + 1) / (step + 21))
        for k, v in model.state_dict().items():
            if v.is_floating_point():
                self.state[k].lerp_(v, 1 - decay)
            else:
                self.state[k].copy_(v)
