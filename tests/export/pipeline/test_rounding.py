"""No more is asked of an fp16 file of other weights than those weights give in PyTorch's own fp16."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.measured_errors import MeasuredError
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.exported import Exported
from portraiture.export.networks.fp16 import outputs_in_fp16
from portraiture.export.pipeline.rounding import LEAST_DB, fair
from portraiture.export.tolerance import Tolerance
from portraiture.export.writing import export_bundle

GATE = Tolerance("of use", min_psnr_db=60.0, min_iou=0.9)


def file_of(precision: Precision = Precision.FP16, target: Target = Target.TFLITE) -> ModelFile:
    return ModelFile("perception", target, precision, Size(64, 64), "x")


def truth_of(psnr_db: float, shipped: bool = False) -> Any:
    """A truth whose network has this PSNR in PyTorch's fp16."""
    errors = {"mask": MeasuredError(0.1, psnr_db, psnr_db)}
    return cast(Any, SimpleNamespace(shipped=shipped, remembered=lambda *_: errors))


def off_by(psnr_db: float) -> Any:
    truth = np.zeros((8, 8))
    return compare(truth + 10 ** (-psnr_db / 20), truth, as_mask=True)


@pytest.mark.parametrize(
    ("own_db", "least"),
    [(50.0, 40.5), (65.0, 55.5), (72.0, 60.0), (35.0, LEAST_DB), (10.0, LEAST_DB)],
)
def test_a_file_may_lose_three_times_what_the_network_loses(own_db: float, least: float) -> None:
    gate = fair(GATE, truth_of(own_db), file_of(), "mask", [off_by(58)])
    assert gate.min_psnr_db == least
    assert gate.passes(off_by(least + 0.2))
    assert not gate.passes(off_by(least - 0.2))


@pytest.mark.parametrize(
    ("truth", "precision", "found"),
    [
        (truth_of(40.0, shipped=True), Precision.FP16, off_by(58)),  # those were measured
        (truth_of(40.0), Precision.FP32, off_by(58)),
        (truth_of(40.0), Precision.INT8, off_by(58)),
    ],
)
def test_other_files_keep_their_gate(truth: Any, precision: Precision, found: Any) -> None:
    assert fair(GATE, truth, file_of(precision), "mask", [found]) is GATE


def test_a_file_that_passes_is_not_measured() -> None:
    def never(*_: object) -> Any:
        raise AssertionError

    truth = cast(Any, SimpleNamespace(shipped=False, remembered=never))
    assert fair(GATE, truth, file_of(), "mask", [off_by(61), off_by(90)]) is GATE


def test_entries_of_merged_files_are_held_to_the_same_gate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gates = []

    def check(_root: object, _file: object, _feeds: object, _expected: object, fair: Any) -> None:
        gates.append(fair(GATE, "mask", off_by(58)))

    monkeypatch.setattr(export_bundle, "check_computation", check)
    truth = truth_of(50.0)
    truth.feeds = truth.expected = lambda *_: {}
    merged = replace(file_of(), entry="perception_64x64")
    export_bundle._check_shared(tmp_path, [file_of(), merged], truth)
    assert [gate.min_psnr_db for gate in gates] == [40.5]


class Maps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 2, 1)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        mask, depth = torch.split(torch.sigmoid(self.head(self.conv(rgb) / 3)), 1, 1)
        return mask, depth


def test_fp16_is_what_pytorch_makes_of_it() -> None:
    network, rgb = Exported("perception", Maps(), "NCHW").eval(), torch.rand(1, 3, 16, 16)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    with torch.no_grad():
        exact, half = network(rgb), Exported("perception", Maps().half(), "NCHW").eval()(rgb.half())
    computed = outputs_in_fp16(network, [rgb], arithmetic=True)
    stored = outputs_in_fp16(network, [rgb], arithmetic=False)
    for name, value in exact.items():
        assert torch.equal(computed[name], computed[name].half().float())  # every value is an fp16 number
        assert float((computed[name] - half[name].float()).abs().max()) < 1e-3
        errors = [float((found[name] - value).abs().max()) for found in (computed, stored)]
        assert 0 < errors[1] < errors[0] < 3e-3
        assert not torch.equal(stored[name], stored[name].half().float())
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
