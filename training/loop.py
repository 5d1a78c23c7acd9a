"""The one training loop: schedule, EMA, validation, checkpoints, exact resume.

Every random choice is drawn from a generator seeded by (seed, step), so that a run that was killed and resumed draws
the same batches as one that was not.
"""

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from portraiture.reference.errors import InputError
from portraiture.training.checkpoint import flatten_optimizer, load_tensors, restore_optimizer, save_tensors

Batch = TypeVar("Batch")


class Task(Protocol[Batch]):
    """What is trained: batches, a loss and a validation.

    Under ``Schedule.bfloat16`` a model returns bfloat16 within ``loss``, which casts it to float32 first.
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


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: optimizer steps in all.
        warmup_steps: linear ramp of the learning rate.
        validate_every: steps between validations (and checkpoints).
        ema_decay: decay of the averaged weights; they are what is validated and shipped.
        bfloat16: forward passes and their gradients in bfloat16; losses, weights and validation stay float32.
        freeze_norm_from: batch-norm statistics are fixed from this step on (small batches of large photos).
        clip_norm: gradient norm limit.
        seed: of all random choices.
    """

    steps: int
    warmup_steps: int = 100
    validate_every: int = 250
    ema_decay: float = 0.995
    freeze_norm_from: int | None = None
    clip_norm: float = 1.0
    seed: int = 0
    bfloat16: bool = False

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


def _fix_norms(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


class Trainer(Generic[Batch]):
    """Runs a task to the end of its schedule, writing into a run folder.

    The folder holds ``log.jsonl`` (a line a validation), ``state.safetensors`` (model, average, optimizer; for
    ``--resume``) and ``weights.safetensors`` (the average; what is evaluated, exported and shipped).
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        task: Task[Batch],
        schedule: Schedule,
        run: Path,
        metadata: dict[str, object],
    ) -> None:
        self.model, self.optimizer, self.task, self.schedule, self.run = model, optimizer, task, schedule, run
        self.metadata = metadata
        self.average = Averaged(model, schedule.ema_decay)
        self.step = 0
        self.base_rates = [float(g["lr"]) for g in optimizer.param_groups]

    def resume(self) -> None:
        """Go on from the run folder's last state, if there is one."""
        path = self.run / "state.safetensors"
        if not path.exists():
            return
        tensors, metadata = load_tensors(path)
        if metadata.get("schedule") != repr(self.schedule):
            raise InputError(f"{path}: expected a run of {self.schedule}, found {metadata.get('schedule')}")
        own = self.model.state_dict()
        if any(k not in tensors or tensors[k].shape != v.shape for k, v in own.items()):
            raise InputError(f"{path}: expected a run of {type(self.model).__name__}, found another network's")
        self.model.load_state_dict({k: tensors[k] for k in own})
        self.average.state = {k: tensors[f"ema.{k}"] for k in own}
        restore_optimizer(self.optimizer, tensors)
        self.step = int(metadata["step"])
        self._forget_later_lines()

    def _forget_later_lines(self) -> None:
        """Drop log lines of validations whose checkpoint was not written: they will be written again."""
        log = self.run / "log.jsonl"
        if log.exists():
            kept = [line for line in log.read_text().splitlines() if json.loads(line)["step"] <= self.step]
            temporary = log.with_suffix(".tmp")
            temporary.write_text("".join(f"{line}\n" for line in kept))
            temporary.replace(log)

    def save(self) -> None:
        """Write the state for ``resume`` and the averaged weights."""
        average = {f"ema.{k}": v for k, v in self.average.state.items()}
        tensors = {**self.model.state_dict(), **average, **flatten_optimizer(self.optimizer)}
        state = {"step": self.step, "schedule": repr(self.schedule)}
        save_tensors(self.run / "state.safetensors", tensors, state)
        save_tensors(self.run / "weights.safetensors", self.average.state, {**self.metadata, "step": self.step})

    def _draw(self, step: int) -> Batch:
        return self.task.batch(step, np.random.default_rng([self.schedule.seed, step]))

    def _train_step(self, batch: Batch) -> dict[str, float]:
        self.model.train()
        freeze = self.schedule.freeze_norm_from
        if freeze is not None and self.step >= freeze:
            _fix_norms(self.model)
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = base * self.schedule.rate(self.step)
        device = next(self.model.parameters()).device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.schedule.bfloat16):
            loss, figures = self.task.loss(self.model, batch)
        if not torch.isfinite(loss):
            raise InputError(f"step {self.step}: the loss is {loss.item()}; lower the learning rate or check the data")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.clip_norm)
        if not torch.isfinite(norm):
            raise InputError(
                f"step {self.step}: a gradient is {norm.item()}; the last checkpoint is whole, lower the learning rate"
            )
        self.optimizer.step()
        self.average.update(self.model, self.step)
        return figures

    def _validate(self, figures: dict[str, float], seconds: float) -> dict[str, float]:
        current = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.average.state)
        self.model.eval()
        with torch.no_grad():
            result = self.task.evaluate(self.model)
        self.model.load_state_dict(current)
        entry = {"step": self.step, "seconds": round(seconds, 1), **figures, **result}
        with (self.run / "log.jsonl").open("a") as log:
            log.write(json.dumps({k: round(v, 5) for k, v in entry.items()}) + "\n")
        return result

    def fit(self) -> dict[str, float]:
        """Train to the end; returns the last validation."""
        self.run.mkdir(parents=True, exist_ok=True)
        result: dict[str, float] = {}
        started = time.monotonic()
        with (
            ThreadPoolExecutor(1) as loader,
            tqdm(total=self.schedule.steps, initial=self.step, unit="step", mininterval=5) as bar,
        ):
            pending = loader.submit(self._draw, self.step)
            while self.step < self.schedule.steps:
                batch = pending.result()
                if self.step + 1 < self.schedule.steps:
                    pending = loader.submit(self._draw, self.step + 1)
                figures = self._train_step(batch)
                self.step += 1
                bar.update()
                bar.set_postfix({k: f"{v:.3f}" for k, v in figures.items()}, refresh=False)
                if self.step % self.schedule.validate_every == 0 or self.step == self.schedule.steps:
                    result = self._validate(figures, time.monotonic() - started)
                    self.save()
        return result
