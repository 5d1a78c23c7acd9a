"""Early stop and the best average, scalars for TensorBoard, another device, and the command's options for them."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from portraiture.reference.errors import OptionError
from portraiture.tools.commands import train
from portraiture.training.run.schedule import Schedule
from portraiture.training.run.trainer import Trainer
from portraiture.training.tensor_files import load_tensors

Batch = tuple[Tensor, Tensor]
SCORES = (0.2, 0.5, 0.4, 0.6, 0.6, 0.5, 0.3, 0.9)
SCHEDULE = Schedule(40, warmup_steps=3, validate_every=5, patience=3, watch="score")
FILES = ["best.safetensors", "curve.png", "log.jsonl", "state.safetensors", "weights.safetensors"]


class Scored:
    """y = x0 + x1, judged by a list of scores, each for the validation at its step."""

    def __init__(self, scores: tuple[float, ...] = SCORES) -> None:
        self.scores, self.kill_at, self.step = scores, -1, 0
        self.devices: set[str] = set()
        self.precisions: set[torch.dtype] = set()

    def batch(self, step: int, rng: np.random.Generator) -> Batch:
        x = torch.from_numpy(rng.normal(size=(8, 2)).astype(np.float32))
        return x, x.sum(1, keepdim=True)

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        if self.step == self.kill_at:
            raise KeyboardInterrupt
        self.step += 1
        self.devices |= {batch[0].device.type}
        found = model(batch[0])
        self.precisions |= {found.dtype}
        loss = (found.float() - batch[1]).square().mean()
        return loss, {"loss": float(loss.detach())}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        x, y = self.batch(0, np.random.default_rng(9))
        mse = float((model(x) - y).square().mean().numpy())
        return {"mse": mse, "score": self.scores[max(0, self.step // SCHEDULE.validate_every - 1)]}


def trainer(run: Path, schedule: Schedule = SCHEDULE, task: Scored | None = None) -> Trainer[Batch]:
    torch.manual_seed(5)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    return Trainer(model, optimizer, task or Scored(), schedule, run, {"model": "test"})


def steps_of(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_run_without_improvement_stops_and_keeps_the_best(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    averages: dict[int, Tensor] = {}
    save = run.save

    def watched() -> None:
        averages[run.step] = run.average.state["weight"].clone()
        save()

    run.save = watched  # type: ignore[method-assign]
    assert run.fit()["score"] == 0.3
    assert steps_of(tmp_path) == [5, 10, 15, 20, 25, 30, 35]  # 0.6 at 20 is not beaten by 0.6, 0.5, 0.3
    assert sorted(p.name for p in tmp_path.iterdir()) == FILES
    best, metadata = load_tensors(tmp_path / "best.safetensors")
    assert metadata == {"model": "test", "step": 20, "score": 0.6}
    assert torch.equal(best["weight"], averages[20])
    assert not torch.equal(best["weight"], load_tensors(tmp_path / "weights.safetensors")[0]["weight"])


def test_a_stopped_run_that_is_resumed_trains_no_step(tmp_path: Path) -> None:
    trainer(tmp_path).fit()
    again = trainer(tmp_path)
    again.resume()
    assert again.stopped
    assert again.fit() == {}
    assert again.step == 35


@pytest.mark.parametrize("killed_at", [3, 15, 18, 26])
def test_a_killed_and_resumed_run_stops_where_it_would_have(tmp_path: Path, killed_at: int) -> None:
    trainer(tmp_path / "straight").fit()
    task = Scored()
    task.kill_at = killed_at
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "killed", task=task).fit()
    task = Scored()
    second = trainer(tmp_path / "killed", task=task)
    second.resume()
    task.step = second.step
    second.fit()
    assert steps_of(tmp_path / "killed") == steps_of(tmp_path / "straight")
    for file in ("state.safetensors", "weights.safetensors", "best.safetensors"):
        (a, meta_a), (b, meta_b) = (load_tensors(tmp_path / run / file) for run in ("straight", "killed"))
        assert meta_a == meta_b
        assert all(torch.equal(v, b[k]) for k, v in a.items()), file


def test_watching_without_patience_trains_all_steps(tmp_path: Path) -> None:
    run = trainer(tmp_path, replace(SCHEDULE, patience=None))
    run.fit()
    assert (run.step, run.best) == (40, 0.9)


def test_smaller_can_be_better_and_nan_never_is(tmp_path: Path) -> None:
    scores = (float("nan"), 0.5, 0.4, float("nan"), 0.6, 0.4, 0.1, 0.1)
    run = trainer(tmp_path, replace(SCHEDULE, watch_larger_is_better=False), Scored(scores))
    run.fit()
    assert (run.step, run.best) == (30, 0.4)
    assert load_tensors(tmp_path / "best.safetensors")[1]["step"] == 15


def test_a_figure_that_is_not_there_is_refused_before_the_first_step(tmp_path: Path) -> None:
    run = trainer(tmp_path, replace(SCHEDULE, watch="iou"))
    with pytest.raises(OptionError, match=r"'iou': expected one of mse, score"):
        run.fit()
    assert run.step == 0
    assert not list(tmp_path.iterdir())


def test_patience_needs_a_figure_and_a_count() -> None:
    with pytest.raises(OptionError, match="--watch NAME"):
        Schedule(4, patience=2)
    with pytest.raises(OptionError, match="1 validation or more, found 0"):
        Schedule(4, patience=0, watch="score")


def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: Schedule, *options: str) -> tuple[str, Any]:
    """What the command prints, and the trainer it ran."""
    made: list[Trainer[Batch]] = []

    def tiny(*_: object) -> Trainer[Batch]:
        made.append(trainer(tmp_path / "run", schedule))
        return made[0]

    monkeypatch.setattr(train, "_trainer", tiny)
    arguments = ["perception", "--recipe", "smoke", "-o", str(tmp_path / "run"), "--device", "cpu", *options]
    done = CliRunner().invoke(train.command, arguments, catch_exceptions=False)
    return done.output, made[0] if made else None


def test_the_command_stops_early_and_names_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed, run = command(tmp_path, monkeypatch, Schedule(40, validate_every=5), "--patience", "2", "--watch", "score")
    assert (run.schedule.patience, run.schedule.watch, run.schedule.watch_larger_is_better) == (2, "score", True)
    assert "stopped at step 30 of 40" in printed
    assert "best.safetensors (score 0.6000)" in printed


def test_the_command_ships_the_best_weights_as_float16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed, _ = command(tmp_path, monkeypatch, SCHEDULE)
    assert f"float16: {tmp_path / 'run/shipped.safetensors'}" in printed
    shipped, metadata = load_tensors(tmp_path / "run/shipped.safetensors")
    best, expected = load_tensors(tmp_path / "run/best.safetensors")
    assert metadata == expected
    assert {v.dtype for v in shipped.values()} == {torch.float16}
    assert all(torch.equal(v, best[k].half()) for k, v in shipped.items())
    (tmp_path / "kept").mkdir()
    _, run = command(tmp_path / "kept", monkeypatch, replace(SCHEDULE, patience=None, watch=None))
    shipped, metadata = load_tensors(tmp_path / "kept/run/shipped.safetensors")
    assert metadata["step"] == run.step == 40
    assert torch.equal(shipped["weight"], run.average.state["weight"].half())


def test_the_command_replaces_what_the_recipe_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, run = command(tmp_path, monkeypatch, SCHEDULE, "--watch", "mse", "--smaller-is-better")
    assert run.schedule == replace(SCHEDULE, watch="mse", watch_larger_is_better=False)
    monkeypatch.undo()
    _, run = command(tmp_path / "kept", monkeypatch, SCHEDULE)
    assert run.schedule == SCHEDULE


def test_the_command_refuses_what_it_cannot_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for options, message in (
        (("--patience", "2"), "--watch NAME"),
        (("--smaller-is-better",), "--watch NAME"),
        (("--device", "tpu"), "auto, cpu, cuda"),
    ):
        with pytest.raises(OptionError, match=message):
            command(tmp_path, monkeypatch, Schedule(4), *options)


def test_scalars_without_the_package_are_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(OptionError, match=r"pip install portraiture\[tensorboard\]"):
        command(tmp_path, monkeypatch, Schedule(4), "--tensorboard")
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("default")
def test_scalars_are_written_and_a_resume_drops_those_of_lost_steps(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-not-found]
        EventAccumulator,
    )

    schedule, task = Schedule(60, validate_every=25), Scored()
    task.kill_at = 45
    first = trainer(tmp_path, schedule, task)
    first.scalars = True
    with pytest.raises(KeyboardInterrupt):
        first.fit()
    second = trainer(tmp_path, schedule)
    second.resume()
    second.scalars = True
    second.fit()
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert sorted(found.Tags()["scalars"]) == ["train/loss", "train/rate", "validation/mse", "validation/score"]
    assert [s.step for s in found.Scalars("train/loss")] == [20, 40, 60]
    assert [s.step for s in found.Scalars("validation/mse")] == [25, 50, 60]
    assert found.Scalars("train/rate")[1].value == pytest.approx(schedule.rate(39))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU, none is here")
def test_a_run_on_a_gpu_is_in_mixed_precision_and_can_be_resumed(tmp_path: Path) -> None:
    schedule = replace(SCHEDULE, patience=None)
    for stop in (20, 40):
        task = Scored()
        task.kill_at = 22 if stop == 20 else -1
        run = trainer(tmp_path, schedule, task)
        run.place(torch.device("cuda"))
        run.resume()
        task.step = run.step
        if stop == 20:
            with pytest.raises(KeyboardInterrupt):
                run.fit()
        else:
            assert run.step == 20
            assert run.fit()["mse"] < 0.5
        assert (task.devices, task.precisions) == ({"cuda"}, {torch.bfloat16})
        assert {p.dtype for p in run.model.parameters()} == {torch.float32}
