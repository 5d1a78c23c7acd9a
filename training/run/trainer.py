"""The one training loop: schedule, EMA, validation, early stop, checkpoints, exact resume, several processes.

Every random choice is drawn from a generator seeded by (seed, step), and by the process too where there are several,
so that a run that was killed and resumed draws the same batches as one that was not.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from portraiture.reference.errors import InputError, unknown
from portraiture.training.run import processes as distributed
from portraiture.training.run.curve import write_curve
from portraiture.training.run.scalars import scalar_files
from portraiture.training.run.schedule import Averaged, Schedule
from portraiture.training.run.state import flatten_optimizer, forget_later_lines, restore_optimizer
from portraiture.training.run.task import Batch, Task
from portraiture.training.tensor_files import load_tensors, save_half, save_tensors

SCALARS_EVERY = 20
"""Steps between training figures for TensorBoard; chosen, not measured."""


def has_bfloat16() -> bool:
    """Whether this processor computes in bfloat16 itself (AVX-512 BF16 or AMX); otherwise PyTorch emulates it."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _fix_norms(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


class Trainer(Generic[Batch]):
    """Runs a task to the end of its schedule, writing into a run folder.

    The folder holds ``log.jsonl`` (a line per validation) and its picture ``curve.png``, ``state.safetensors`` (model,
    average, optimizer; for ``--resume``), ``weights.safetensors`` (the average; what is evaluated and exported), with
    ``Schedule.watch`` also ``best.safetensors``, with ``scalars`` also ``tensorboard``, and after :meth:`ship` also
    ``shipped.safetensors``.

    Each of several processes trains on its own batches, so that a step sees as many photos as all of them draw; the
    first one alone validates and writes, and logs the training figures of its own batches.

    Args:
        model: what is trained, on the CPU; :meth:`place` moves it.
        optimizer: over the model's parameters; the rates of its groups are those of the warmed-up first step.
        task: batches, loss and validation.
        schedule: how long and how fast.
        run: the run folder.
        metadata: what JSON can hold; it is written into the weight files.

    Attributes:
        data: gives what is learnt from, for the run's configuration: of each set by name numbers and digests. It
            reads every photo and label; one process asks.
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
        self.best: float | None = None
        self.validations_without_improvement = 0
        self.scalars = False
        self.data: Callable[[], dict[str, dict[str, Any]]] = dict
        self.device = next(model.parameters()).device
        self.base_rates = [float(g["lr"]) for g in optimizer.param_groups]

    def place(self, device: torch.device) -> None:
        """Move the model, its average and the task's own networks; call it before ``resume`` and ``fit``."""
        self.device = device
        for network in self._networks():
            network.to(device)
        self.average.state = {k: v.to(device) for k, v in self.average.state.items()}

    def _networks(self) -> list[nn.Module]:
        return [self.model, *(v for v in vars(self.task).values() if isinstance(v, nn.Module))]

    def resume(self) -> None:
        """Go on from the run folder's last state, if there is one."""
        path = self.run / "state.safetensors"
        if not path.exists():
            return
        tensors, metadata = load_tensors(path)
        if metadata.get("schedule") != repr(self.schedule):
            raise InputError(
                f"{path}: expected a run of {self.schedule}, found {metadata.get('schedule')};"
                " resume with the recipe and options it began with"
            )
        own = self.model.state_dict()
        if any(k not in tensors or tensors[k].shape != v.shape for k, v in own.items()):
            raise InputError(
                f"{path}: expected a run of {type(self.model).__name__}, found another network's;"
                " resume with the recipe it began with"
            )
        self.model.load_state_dict({k: tensors[k] for k in own})
        self.average.state = {k: tensors[f"ema.{k}"].to(self.device) for k in own}
        restore_optimizer(self.optimizer, tensors)
        self.step = int(metadata["step"])
        self.best = metadata["best"]
        self.validations_without_improvement = int(metadata["validations_without_improvement"])
        if distributed.is_main():
            forget_later_lines(self.run / "log.jsonl", self.step)

    def save(self) -> None:
        """Write the state for ``resume`` and the averaged weights."""
        average = {f"ema.{k}": v for k, v in self.average.state.items()}
        tensors = {**self.model.state_dict(), **average, **flatten_optimizer(self.optimizer)}
        state = {
            "step": self.step,
            "schedule": repr(self.schedule),
            "best": self.best,
            "validations_without_improvement": self.validations_without_improvement,
        }
        save_tensors(self.run / "state.safetensors", tensors, state)
        save_tensors(self.run / "weights.safetensors", self.average.state, {**self.metadata, "step": self.step})

    def ship(self) -> Path:
        """Write ``shipped.safetensors``, the best weights or else the last ones as float16, and return its path.

        Raises:
            InputError: a weight is beyond the range of float16.
        """
        path = self.run / "shipped.safetensors"
        save_half(self.run / ("weights.safetensors" if self.best is None else "best.safetensors"), path)
        return path

    def _draw(self, step: int) -> Batch:
        seed = [self.schedule.seed, step]
        if distributed.world() > 1:
            seed.append(distributed.rank())
        return self.task.batch(step, np.random.default_rng(seed))

    def _train_step(self, batch: Batch) -> dict[str, float]:
        self.model.train()
        freeze = self.schedule.freeze_norm_from
        if freeze is not None and self.step >= freeze:
            _fix_norms(self.model)
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = base * self.schedule.rate(self.step)
        cuda = self.device.type == "cuda"
        bfloat16 = cuda or (self.schedule.bfloat16 and has_bfloat16())
        if self.device.type != "cpu":
            batch = distributed.moved(batch, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            loss, figures = self.task.loss(self.model, batch)
        mean = distributed.mean_of(loss)
        if not torch.isfinite(mean):
            raise InputError(f"step {self.step}: the loss is {mean.item()}; lower the learning rate or check the data")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        distributed.average_gradients(self.model)
        distributed.average_norms(self.model)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.clip_norm)
        if not torch.isfinite(norm):
            raise InputError(
                f"step {self.step}: a gradient is {norm.item()}; the last checkpoint is whole, lower the learning rate"
            )
        self.optimizer.step()
        self.average.update(self.model, self.step)
        return figures

    def _evaluate(self) -> dict[str, float]:
        """The task's figures of the average."""
        current = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.average.state)
        self.model.eval()
        with torch.no_grad(), distributed.called_from_cpu(self._networks(), self.device):
            result = self.task.evaluate(self.model)
        self.model.load_state_dict(current)
        watch = self.schedule.watch
        if watch is not None and watch not in result:
            raise unknown("validation figure to --watch", watch, result)
        return result

    def _validate(self, figures: dict[str, float], seconds: float) -> dict[str, float]:
        """Evaluate, log, and keep the average if it is the best; the state is saved after that."""
        result = self._evaluate()
        entry = {"step": self.step, "seconds": round(seconds, 1), **figures, **result}
        with (self.run / "log.jsonl").open("a") as log:
            log.write(json.dumps({k: round(v, 5) for k, v in entry.items()}) + "\n")
        write_curve(self.run / "log.jsonl", self.run / "curve.png")
        if self.schedule.watch is not None:
            value = result[self.schedule.watch]
            if self.schedule.improves(value, self.best):
                self.best, self.validations_without_improvement = value, 0
                metadata = {**self.metadata, "step": self.step, self.schedule.watch: value}
                save_tensors(self.run / "best.safetensors", self.average.state, metadata)
            else:
                self.validations_without_improvement += 1
        return result

    @property
    def stopped(self) -> bool:
        """Whether all steps are done, or patience is at its end."""
        patience = self.schedule.patience
        impatient = patience is not None and self.validations_without_improvement >= patience
        return impatient or self.step >= self.schedule.steps

    def fit(self) -> dict[str, float]:
        """Train to the end; returns the last validation, which is empty where this process made none."""
        main = distributed.is_main()
        if main:
            self.run.mkdir(parents=True, exist_ok=True)
            if self.schedule.watch is not None and self.step == 0:
                self._evaluate()  # a wrong name is refused now, not after the first hours
        distributed.start_together(self.step, [self.model.state_dict(), self.average.state])
        result: dict[str, float] = {}
        started = time.monotonic()
        with (
            scalar_files(self.run / "tensorboard" if self.scalars and main else None, self.step) as scalars,
            ThreadPoolExecutor(1) as loader,
            tqdm(
                total=self.schedule.steps, initial=self.step, unit="step", mininterval=5, disable=None if main else True
            ) as bar,
        ):
            pending = loader.submit(self._draw, self.step)
            while not self.stopped:
                batch = pending.result()
                if self.step + 1 < self.schedule.steps:
                    pending = loader.submit(self._draw, self.step + 1)
                figures = self._train_step(batch)
                self.step += 1
                bar.update()
                bar.set_postfix({k: f"{v:.3f}" for k, v in figures.items()}, refresh=False)
                if self.step % SCALARS_EVERY == 0:
                    scalars(self.step, "train", {**figures, "rate": self.schedule.rate(self.step - 1)})
                if self.step % self.schedule.validate_every == 0 or self.step == self.schedule.steps:
                    if main:
                        result = self._validate(figures, time.monotonic() - started)
                        scalars(self.step, "validation", result)
                        self.save()
                    bad = distributed.from_main(self.validations_without_improvement)
                    self.validations_without_improvement = bad
        return result
