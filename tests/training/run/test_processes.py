"""Several processes train as one: this file is also the script that torchrun starts."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from portraiture.reference.errors import InputError, OptionError
from portraiture.training.run import processes as distributed
from portraiture.training.run.schedule import Schedule
from portraiture.training.run.trainer import Trainer
from portraiture.training.tensor_files import load_tensors, save_tensors

PROCESSES = 2
SCHEDULE = Schedule(12, warmup_steps=3, validate_every=4)
SCORES = (0.5, 0.7, 0.6, 0.7, 0.9)
Batch = tuple[Tensor, Tensor]


class Regression:
    """y = 2 x0 - x1 + 1; ``union`` draws what all processes together draw."""

    def __init__(self, union: bool = False) -> None:
        self.union = union
        self.kill_at: int | None = None
        self.nan_in: int | None = None
        self.done = 0
        self.validations = 0

    def batch(self, step: int, rng: np.random.Generator) -> Batch:
        rngs = [np.random.default_rng([SCHEDULE.seed, step, r]) for r in range(PROCESSES)] if self.union else [rng]
        x = torch.from_numpy(np.concatenate([r.normal(size=(8, 2)) for r in rngs]).astype(np.float32))
        return x, 2 * x[:, :1] - x[:, 1:] + 1

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        if self.done == self.kill_at:
            raise KeyboardInterrupt
        self.done += 1
        loss = (model(batch[0]) - batch[1]).square().mean()
        if self.nan_in == distributed.rank():
            loss = loss * float("nan")
        return loss, {"loss": float(loss.detach())}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        assert distributed.is_main()
        self.validations += 1
        return {"score": SCORES[max(0, self.validations - 2)]}


class Uneven(nn.Module):
    """A batch norm, a parameter that only the last process uses, and one that none uses."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 1, 1))
        self.late, self.idle = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x[..., None, None])[..., 0, 0]
        return y * self.late if distributed.rank() == PROCESSES - 1 else y


def trainer(run: Path, schedule: Schedule = SCHEDULE, uneven: bool = False, seed: int = 5) -> Trainer[Batch]:
    torch.manual_seed(seed)
    model = Uneven().to(memory_format=torch.channels_last) if uneven else nn.Linear(2, 1)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
    return Trainer(model, optimizer, Regression(), schedule, run, {"model": "test"})


def regression_of(run: Trainer[Batch]) -> Regression:
    assert isinstance(run.task, Regression)
    return run.task


def work(folder: Path) -> None:
    """What each process does; it leaves its tensors and what it noted in its own files."""
    torch.set_num_threads(1)
    with distributed.joined(distributed.choose_device("cpu")):
        rank, notes = distributed.rank(), dict[str, Any]()
        with distributed.main_first():
            notes["found_by_the_others"] = (folder / "first").exists()
            (folder / "first").touch()

        straight = trainer(folder / "straight", seed=5 + rank)  # only process 0 begins as the others must
        straight.fit()

        killed = trainer(folder / "killed")
        regression_of(killed).kill_at = 6
        try:
            killed.fit()
        except KeyboardInterrupt:
            resumed = trainer(folder / "killed", seed=6 + rank)
            resumed.resume()
            notes["resumed_at"] = resumed.step
            resumed.fit()

        uneven = trainer(folder / "uneven", uneven=True)
        uneven.fit()

        early = Schedule(40, validate_every=2, patience=2, watch="score")
        patient = trainer(folder / "early", early)
        patient.fit()
        notes["stopped_at"] = patient.step

        spoilt = trainer(folder / "spoilt")
        regression_of(spoilt).nan_in = 1
        try:
            spoilt.fit()
        except InputError as error:
            notes["spoilt"] = str(error)

        try:
            distributed.start_together(10 * rank, [])
        except InputError as error:
            notes["apart"] = str(error)
        runs = {"straight": straight, "killed": resumed, "uneven": uneven}
        tensors = {f"{k}.{name}": v for k, run in runs.items() for name, v in run.model.state_dict().items()}
        averages = {f"{k}.average.{name}": v for k, run in runs.items() for name, v in run.average.state.items()}
        save_tensors(folder / f"rank{rank}.safetensors", {**tensors, **averages}, notes)


class Outcome(NamedTuple):
    folder: Path
    tensors: list[dict[str, Tensor]]
    notes: list[dict[str, Any]]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("distributed")
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}"]
    done = subprocess.run(
        [sys.executable, *launch, __file__, str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [load_tensors(folder / f"rank{r}.safetensors") for r in range(PROCESSES)]
    return Outcome(folder, [f[0] for f in found], [f[1] for f in found])


def log_steps(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]


def test_every_process_ends_with_the_same_model(outcome: Outcome) -> None:
    first, second = outcome.tensors
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_two_processes_are_one_that_draws_both_batches(outcome: Outcome, tmp_path: Path) -> None:
    alone = trainer(tmp_path)
    alone.task = Regression(union=True)
    alone.fit()
    for name, value in alone.model.state_dict().items():
        torch.testing.assert_close(value, outcome.tensors[0][f"straight.{name}"], rtol=1e-5, atol=1e-6)
    half = trainer(tmp_path / "half")
    half.fit()
    assert not torch.allclose(half.model.state_dict()["weight"], outcome.tensors[0]["straight.weight"], rtol=1e-3)


def test_only_the_first_process_writes(outcome: Outcome) -> None:
    assert log_steps(outcome.folder / "straight") == [4, 8, 12]
    files = sorted(p.name for p in (outcome.folder / "straight").iterdir())
    assert files == ["curve.png", "log.jsonl", "state.safetensors", "weights.safetensors"]
    assert [n["found_by_the_others"] for n in outcome.notes] == [False, True]


def test_a_killed_and_resumed_run_is_bitwise_the_same(outcome: Outcome) -> None:
    assert [n["resumed_at"] for n in outcome.notes] == [4, 4]
    assert log_steps(outcome.folder / "killed") == [4, 8, 12]
    for name in ("weight", "bias", "average.weight", "average.bias"):
        assert torch.equal(outcome.tensors[0][f"straight.{name}"], outcome.tensors[0][f"killed.{name}"]), name


def test_norms_are_averaged_and_a_gradient_that_one_process_lacks_is_shared(outcome: Outcome) -> None:
    tensors = outcome.tensors[0]
    assert not torch.equal(tensors["uneven.body.1.running_mean"], torch.zeros(3))
    assert int(tensors["uneven.body.1.num_batches_tracked"]) == SCHEDULE.steps
    assert float(tensors["uneven.late"]) != 1
    assert float(tensors["uneven.idle"]) == 1  # no gradient anywhere: not even its weight decays


def test_all_processes_stop_early_together(outcome: Outcome) -> None:
    assert [n["stopped_at"] for n in outcome.notes] == [8, 8]  # scores 0.5, 0.7, 0.6, 0.7
    assert load_tensors(outcome.folder / "early" / "best.safetensors")[1] == {"model": "test", "step": 4, "score": 0.7}


def test_what_is_wrong_in_one_process_is_told_by_all(outcome: Outcome) -> None:
    for notes in outcome.notes:
        assert notes["spoilt"].startswith("step 0: the loss is nan")
        assert "found 0, 10" in notes["apart"]


def test_one_process_alone_speaks_to_nobody() -> None:
    model = nn.Linear(2, 1)
    distributed.average_gradients(model)
    distributed.average_norms(model)
    distributed.start_together(3, [model.state_dict()])
    with distributed.joined(torch.device("cpu")), distributed.main_first():
        assert (distributed.rank(), distributed.world(), distributed.is_main()) == (0, 1, True)
    assert distributed.from_main(7) == 7
    assert all(p.grad is None for p in model.parameters())


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert distributed.choose_device("auto") == distributed.choose_device("cpu") == torch.device("cpu")
    with pytest.raises(OptionError, match="--device cuda: expected a CUDA device"):
        distributed.choose_device("cuda")
    with pytest.raises(OptionError, match="auto, cpu, cuda"):
        distributed.choose_device("tpu")


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert distributed.choose_device("auto") == torch.device("cuda", 0)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert distributed.choose_device("cuda") == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(OptionError, match=r"found 2 for process 2.*--nproc-per-node=2"):
        distributed.choose_device("auto")


class Named(NamedTuple):
    rgb: Tensor
    names: list[str]


@dataclass(frozen=True)
class Nested:
    named: Named
    more: dict[str, list[Tensor]]


def test_a_nested_batch_is_moved() -> None:
    rgb = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
    batch = (Nested(Named(rgb, ["a"]), {"x": [torch.ones(1)]}), 3)
    nested, number = distributed.moved(batch, torch.device("meta"))
    assert isinstance(nested, Nested)
    assert isinstance(nested.named, Named)
    assert (number, nested.named.names) == (3, ["a"])
    assert nested.named.rgb.device.type == nested.more["x"][0].device.type == "meta"
    assert nested.named.rgb.is_contiguous(memory_format=torch.channels_last)


def test_a_model_elsewhere_can_be_called_from_the_cpu() -> None:
    seen: list[str] = []

    class Probe(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor]:
            seen.extend((x.device.type, y.device.type))
            return (torch.ones(1),)

    probe = Probe()
    with distributed.called_from_cpu([probe], torch.device("meta")):
        assert probe(torch.zeros(1), y=torch.zeros(1))[0].device.type == "cpu"
    probe(torch.zeros(1), torch.zeros(1))
    assert seen == ["meta", "meta", "cpu", "cpu"]


if __name__ == "__main__":
    work(Path(sys.argv[1]))
