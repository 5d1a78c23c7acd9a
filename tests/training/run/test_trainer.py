"""The training loop: a killed and resumed run is the run that was not killed, bit for bit."""

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from portraiture.reference.errors import InputError
from portraiture.training.run import trainer as loop
from portraiture.training.run.schedule import Averaged, Schedule
from portraiture.training.run.trainer import Trainer
from portraiture.training.tensor_files import load_tensors

STEPS = 20
Batch = tuple[Tensor, Tensor]


class Regression:
    """y = 2 x0 - x1 + 1, and a switch that kills the run or spoils the loss at a step."""

    def __init__(self, image: bool = False) -> None:
        self.image = image
        self.kill_at: int | None = None
        self.nan_at: int | None = None
        self.nan_gradient_at: int | None = None
        self.drawn: list[int] = []
        self.step = 0

    def batch(self, step: int, rng: np.random.Generator) -> Batch:
        self.drawn.append(step)
        shape = (4, 2, 6, 5) if self.image else (8, 2)
        x = torch.from_numpy(rng.normal(size=shape).astype(np.float32))
        return x, 2 * x[:, :1] - x[:, 1:] + 1

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        if self.step == self.kill_at:
            raise KeyboardInterrupt
        loss = (model(batch[0]) - batch[1]).square().mean()
        if self.step == self.nan_at:
            loss = loss * float("nan")
        if self.step == self.nan_gradient_at:
            loss = loss + torch.sqrt(loss * 0)  # finite, its gradient 0 / 0
        self.step += 1
        return loss, {"loss": float(loss.detach())}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        assert not model.training
        x, y = self.batch(-1, np.random.default_rng(99))
        return {"mse": float((model(x) - y).square().mean())}


def regression_model() -> nn.Module:
    return nn.Linear(2, 1)


def image_model() -> nn.Module:
    model = nn.Sequential(nn.Conv2d(2, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 1, 3, padding=1))
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def optimizer_of(model: nn.Module, name: str) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    parameters = list(model.parameters())
    groups = [{"params": parameters[:1], "lr": 0.02}, {"params": parameters[1:], "lr": 0.05}]
    return torch.optim.AdamW(groups, weight_decay=1e-3)


SCHEDULE = Schedule(STEPS, warmup_steps=3, validate_every=5, freeze_norm_from=15)


def trainer(
    run: Path, optimizer: str = "sgd", image: bool = False, schedule: Schedule = SCHEDULE
) -> tuple[Trainer[Batch], Regression]:
    torch.manual_seed(5)
    model, task = (image_model() if image else regression_model()), Regression(image)
    return Trainer(model, optimizer_of(model, optimizer), task, schedule, run, {"model": "test"}), task


def resumed(run: Path, optimizer: str = "sgd", image: bool = False, schedule: Schedule = SCHEDULE) -> Trainer[Batch]:
    again, task = trainer(run, optimizer, image, schedule)
    again.resume()
    task.step = again.step
    return again


def log_of(run: Path) -> list[dict[str, float]]:
    """The log without wall time."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert all(entry.pop("seconds") >= 0 for entry in lines)
    return lines


@pytest.mark.parametrize("killed_at", [10, 13], ids=["at-a-checkpoint", "between-checkpoints"])
@pytest.mark.parametrize("image", [False, True], ids=["linear", "channels-last-with-norm"])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
def test_a_killed_and_resumed_run_is_bitwise_the_same(
    tmp_path: Path, bfloat16: bool, optimizer: str, image: bool, killed_at: int
) -> None:
    schedule = replace(SCHEDULE, bfloat16=bfloat16)
    straight, _ = trainer(tmp_path / "straight", optimizer, image, schedule)
    result = straight.fit()

    first, task = trainer(tmp_path / "killed", optimizer, image, schedule)
    task.kill_at = killed_at
    with pytest.raises(KeyboardInterrupt):
        first.fit()
    second = resumed(tmp_path / "killed", optimizer, image, schedule)
    assert second.step == 10
    assert second.fit() == result

    for name, value in second.model.state_dict().items():
        assert torch.equal(value, straight.model.state_dict()[name]), name
    for file in ("state.safetensors", "weights.safetensors"):
        (a, meta_a), (b, meta_b) = (load_tensors(tmp_path / run / file) for run in ("straight", "killed"))
        assert meta_a == meta_b
        assert a.keys() == b.keys()
        for name, value in a.items():
            assert torch.equal(value, b[name]), (file, name)
    assert log_of(tmp_path / "killed") == log_of(tmp_path / "straight")
    assert [entry["step"] for entry in log_of(tmp_path / "killed")] == [5, 10, 15, 20]


def test_a_run_killed_between_log_and_checkpoint_logs_no_step_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = trainer(tmp_path)
    save = Trainer.save

    def killed_save(self: Trainer[Batch]) -> None:
        if self.step == 10:
            raise KeyboardInterrupt
        save(self)

    monkeypatch.setattr(Trainer, "save", killed_save)
    with pytest.raises(KeyboardInterrupt):
        first.fit()
    monkeypatch.undo()
    resumed(tmp_path).fit()
    assert [entry["step"] for entry in log_of(tmp_path)] == [5, 10, 15, 20]


def test_training_lowers_the_error_and_files_are_written(tmp_path: Path) -> None:
    run, _ = trainer(tmp_path)
    with torch.no_grad():
        before = run.task.evaluate(run.model.eval())["mse"]
    after = run.fit()["mse"]
    assert after < 0.5 * before
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "curve.png",
        "log.jsonl",
        "state.safetensors",
        "weights.safetensors",
    ]
    weights, metadata = load_tensors(tmp_path / "weights.safetensors")
    assert metadata == {"model": "test", "step": STEPS}
    assert weights.keys() == run.model.state_dict().keys()
    assert log_of(tmp_path)[-1]["mse"] == pytest.approx(after, abs=1e-5)


@pytest.mark.parametrize("has_it", [True, False])
def test_bfloat16_is_for_the_training_loss_alone_on_processors_that_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_it: bool
) -> None:
    monkeypatch.setattr(loop, "has_bfloat16", lambda: has_it)
    run, task = trainer(tmp_path, image=True, schedule=replace(SCHEDULE, bfloat16=True))
    seen: dict[str, set[torch.dtype]] = {"loss": set(), "evaluate": set()}

    def watch(name: str) -> None:
        whole = getattr(task, name)

        def watched(model: nn.Module, *rest: Batch) -> object:
            with torch.no_grad():
                seen[name].add(model(torch.zeros(1, 2, 6, 5)).dtype)
            return whole(model, *rest)

        monkeypatch.setattr(task, name, watched)

    watch("loss")
    watch("evaluate")
    run.fit()
    assert seen == {"loss": {torch.bfloat16 if has_it else torch.float32}, "evaluate": {torch.float32}}
    assert {v.dtype for k, v in run.model.state_dict().items() if "tracked" not in k} == {torch.float32}


def test_each_step_is_drawn_once_and_by_its_own_seed(tmp_path: Path) -> None:
    run, task = trainer(tmp_path)
    run.fit()
    assert [s for s in task.drawn if s >= 0] == list(range(STEPS))
    batches = [run._draw(k)[0] for k in (0, 1, 0)]
    assert torch.equal(batches[0], batches[2])
    assert not torch.equal(batches[0], batches[1])


def test_what_is_validated_and_saved_is_the_average(tmp_path: Path) -> None:
    run, task = trainer(tmp_path)
    seen: list[dict[str, Tensor]] = []
    evaluate = task.evaluate

    def watched(model: nn.Module) -> dict[str, float]:
        seen.append({k: v.clone() for k, v in model.state_dict().items()})
        return evaluate(model)

    task.evaluate = watched  # type: ignore[method-assign]
    run.fit()
    weights, _ = load_tensors(tmp_path / "weights.safetensors")
    assert all(torch.equal(weights[k], v) for k, v in seen[-1].items())
    assert not torch.equal(weights["weight"], run.model.state_dict()["weight"])


def test_the_average_by_hand() -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.0)
    average, expected = Averaged(model, decay=0.5), 0.0
    for k in range(30):
        with torch.no_grad():
            model.weight.fill_(float(k + 1))
        average.update(model, k)
        decay = min(0.5, (k + 1) / (k + 21))
        expected = decay * expected + (1 - decay) * (k + 1)
        assert average.state["weight"].item() == pytest.approx(expected, rel=1e-5)


def test_the_rate_warms_up_and_falls_to_a_thousandth() -> None:
    schedule = Schedule(1000, warmup_steps=100)
    rates = [schedule.rate(k) for k in range(1001)]
    assert rates[0] == pytest.approx(0.01 * 1.001)
    assert rates[49] == pytest.approx(0.5 * (0.5 * (1 + math.cos(math.pi * 0.049)) + 1e-3))
    assert all(b > a for a, b in pairwise(rates[:99]))
    assert all(b < a for a, b in pairwise(rates[100:]))
    assert rates[1000] == pytest.approx(1e-3)


def test_the_rate_is_set_in_proportion_in_every_group(tmp_path: Path) -> None:
    run, _ = trainer(tmp_path, "adamw")
    run.fit()
    share = SCHEDULE.rate(STEPS - 1)
    assert [g["lr"] for g in run.optimizer.param_groups] == pytest.approx([0.02 * share, 0.05 * share])


def test_norm_statistics_are_fixed_from_the_given_step(tmp_path: Path) -> None:
    run, _ = trainer(tmp_path, image=True)
    run.fit()
    norm = run.model.get_submodule("1")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.num_batches_tracked is not None
    assert int(norm.num_batches_tracked) == 15


def test_a_loss_that_is_nan_raises_and_keeps_the_last_state(tmp_path: Path) -> None:
    run, task = trainer(tmp_path)
    task.nan_at = 7
    with pytest.raises(InputError, match="step 7: the loss is nan") as error:
        run.fit()
    assert "\n" not in str(error.value)
    assert resumed(tmp_path).step == 5


@pytest.mark.parametrize("step", [6, 9], ids=["between-checkpoints", "at-a-checkpoint"])
def test_a_gradient_that_is_nan_raises_and_keeps_the_last_state(tmp_path: Path, step: int) -> None:
    """A finite loss may have a NaN gradient; it may not be written over the last good checkpoint."""
    run, task = trainer(tmp_path)
    task.nan_gradient_at = step
    with pytest.raises(InputError):
        run.fit()
    assert resumed(tmp_path).step == 5


def test_a_resume_without_a_state_starts_at_zero(tmp_path: Path) -> None:
    assert resumed(tmp_path / "new").step == 0


def test_a_finished_run_that_is_resumed_trains_no_step(tmp_path: Path) -> None:
    run, _ = trainer(tmp_path)
    run.fit()
    again, task = trainer(tmp_path)
    again.resume()
    again.fit()
    assert again.step == STEPS
    assert task.step == 0
    for name, value in again.model.state_dict().items():
        assert torch.equal(value, run.model.state_dict()[name]), name


def test_a_resume_with_another_schedule_is_refused(tmp_path: Path) -> None:
    run, _ = trainer(tmp_path)
    run.fit()
    other, _ = trainer(tmp_path, schedule=Schedule(40, warmup_steps=3, validate_every=5, freeze_norm_from=15))
    with pytest.raises(InputError, match=r"steps=40.*steps=20") as error:
        other.resume()
    assert "\n" not in str(error.value)


def test_a_resume_with_another_model_is_refused(tmp_path: Path) -> None:
    run, _ = trainer(tmp_path)
    run.fit()
    other, _ = trainer(tmp_path, image=True)
    with pytest.raises(InputError) as error:
        other.resume()
    assert "\n" not in str(error.value)


def test_an_error_while_drawing_is_raised(tmp_path: Path) -> None:
    run, task = trainer(tmp_path)

    def broken(step: int, rng: np.random.Generator) -> Batch:
        raise InputError("photo 3 is broken")

    task.batch = broken  # type: ignore[method-assign]
    with pytest.raises(InputError, match="photo 3"):
        run.fit()
