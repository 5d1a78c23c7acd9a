"""Files of a plan hold what the plan says, compute what PyTorch computes by it, and pass the gate of its budget."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from portraiture.export.bundle.goldens import read_index
from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.bundle.open import open_bundle
from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.model_file import ModelFile, bytes_of
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.networks.exported import torch_inputs
from portraiture.export.networks.layers import convolutions_of, folded, layers_in_file, weights_of
from portraiture.export.parity.links import file_rows
from portraiture.export.parity.probes import probe_rows
from portraiture.export.parity.rows import Status
from portraiture.export.parity.run import run_parity
from portraiture.export.pipeline.planned import kinds_in, outputs_of, planned, probe_errors
from portraiture.export.pipeline.truth import Truth
from portraiture.export.plan import Kind, Plan
from portraiture.export.runner import from_layout
from portraiture.export.sample_photo import sample_photo
from portraiture.export.targets import FORMATS, open_file
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import ExportError, GateError, InputError
from portraiture.reference.files import write_json

SIZE = Size(64, 64)

LAYERS = {"0": Kind.INT8, "3": Kind.INT8, "6": Kind.PALETTE6, "9": Kind.INT8_DYNAMIC, "12": Kind.PALETTE4}
"""A layer of each kind; the second one is depthwise. The rest, in the filter, is fp16."""

SOURCE = """
import torch
from torch import nn
from portraiture.export.networks.own import DepthOutput, MaskOutput, OwnNetwork

def layer(i, o, k, groups=1):
    return nn.Conv2d(i, o, k, padding=k // 2, groups=groups), nn.BatchNorm2d(o), nn.ReLU6()

def build():
    torch.manual_seed(7)
    net = nn.Sequential(*layer(3, 16, 3), *layer(16, 16, 3, 16), *layer(16, 48, 1), *layer(48, 32, 3),
                        nn.Conv2d(32, 2, 3, padding=1))
    for norm in net[1::3]:
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-0.2, 0.2), norm.running_var.uniform_(0.2, 2.0)
            nn.init.uniform_(norm.weight, -1.5, 1.5)
    return OwnNetwork(net, mask=MaskOutput(None, 0, "logit"), depth=DepthOutput(None, 1, "logit"))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    path = tmp_path_factory.mktemp("planned") / "planned_net.py"
    path.write_text(SOURCE)
    return Checkpoints(own=f"{path}:build")


@pytest.fixture(scope="module")
def networks(source: Checkpoints) -> Truth:
    return Truth(Networks(source))


@pytest.fixture(scope="module")
def plan() -> Plan:
    lines = tuple((f"perception.network.{name}", kind) for name, kind in LAYERS.items())
    return Plan(30.0, lines, ())


@pytest.fixture(scope="module")
def small(made_once: Callable[[str, Callable[[Path], object]], Path], source: Checkpoints, plan: Plan) -> Path:
    """Perception in every format, in fp16 and by the plan."""
    spec = BundleSpec(("perception",), BUILT_IN, (Precision.FP16, Precision.PLAN), (SIZE,), source, plan=plan)
    return made_once("planned_bundle", lambda root: export_bundle(spec, root, gate=False, processes=1))


def file_in(root: Path, target: Target, precision: Precision = Precision.PLAN) -> ModelFile:
    return next(f for f in open_bundle(root).files if (f.target, f.precision) == (target, precision))


@pytest.mark.parametrize("target", BUILT_IN)
def test_a_file_holds_each_layer_as_the_formats_arithmetic_makes_it(
    small: Path, networks: Truth, target: Target
) -> None:
    network, file = networks.networks.get("perception"), file_in(small, target)
    kinds = kinds_in(file, network)
    assert kinds["perception.network.0"] is Kind.INT8
    assert kinds["perception.network.6"] is (Kind.PALETTE6 if target is Target.COREML else Kind.INT8)
    assert kinds["perception.network.9"] is (Kind.INT8_DYNAMIC if target is Target.TFLITE else Kind.INT8)
    held = [np.sort(value.ravel()) for _, value in FORMATS[target].weights(small / file.path, file)]
    for name, weight in weights_of(network).items():
        stored = np.sort(FORMATS[target].stored(weight, kinds[name]).astype(np.float64).ravel())
        nearest = min(float(np.abs(stored - h).max()) for h in held if h.size == stored.size)
        assert nearest <= 6e-4 * np.abs(weight).max(), (name, kinds[name])  # folding may round to the other fp16
        assert len(np.unique(stored)) <= {Kind.PALETTE6: 64, Kind.PALETTE4: 16}.get(kinds[name], stored.size)


@pytest.mark.parametrize("target", BUILT_IN)
def test_a_file_computes_what_pytorch_computes_by_the_plan(small: Path, networks: Truth, target: Target) -> None:
    network, file, photo = networks.networks.get("perception"), file_in(small, target), sample_photo()
    feeds, truth = networks.feeds("perception", SIZE, photo), networks.expected("perception", SIZE, photo)
    found = open_file(small, file).run(feeds)
    by_plan = planned(network, kinds_in(file, network), target)
    ours = outputs_of(by_plan, torch_inputs(network, SIZE, feeds), target)
    for spec in network.contract.outputs:
        value = from_layout(spec, ours[spec.name].numpy(), network.layout)
        lost, apart = compare(found[spec.name], truth[spec.name]), compare(found[spec.name], value)
        assert apart.psnr_db > lost.psnr_db + 10, (spec.name, apart.psnr_db, lost.psnr_db)


@pytest.mark.parametrize("target", BUILT_IN)
def test_it_is_smaller_than_fp16_by_what_the_table_says(small: Path, networks: Truth, target: Target) -> None:
    network, form = networks.networks.get("perception"), FORMATS[target]
    kinds, weights = kinds_in(file_in(small, target), network), weights_of(network)
    saved = sum(form.stored_bytes(w, Kind.FP16) - form.stored_bytes(w, kinds[n]) for n, w in weights.items())
    paths = [small / file_in(small, target, p).path for p in (Precision.FP16, Precision.PLAN)]
    assert bytes_of(paths[0]) - bytes_of(paths[1]) == pytest.approx(saved, abs=3000)  # names and headers
    assert saved > 8000


def test_the_manifest_and_the_goldens_tell_the_plan_and_its_gate(small: Path, plan: Plan) -> None:
    assert open_bundle(small).manifest["plan"] == plan.to_json()
    entries = {e["path"]: e for e in read_index(small)["files"]}
    gate = entries[file_in(small, Target.ONNX).path]["outputs"]["mask"]["tolerance"]
    assert gate["min_psnr_db"] == 29.0


@pytest.mark.parametrize("target", BUILT_IN)
def test_it_passes_the_gate_of_its_budget(small: Path, networks: Truth, target: Target) -> None:
    file = file_in(small, target)
    on_photo = list(file_rows(small, file, networks, [sample_photo()]))
    assert [row.tolerance for row in on_photo] == ["PSNR >= 29 dB"] * 2
    assert {row.status for row in (*on_photo, *probe_rows(small, file, networks))} == {Status.PASSED}


def test_another_plan_in_the_manifest_is_seen(small: Path, tmp_path: Path, networks: Truth) -> None:
    copy = Path(shutil.copytree(small, tmp_path / "bundle"))
    manifest = read_manifest(copy)
    for changed, words in ((None, "expected budget_db"), ({**manifest["plan"], "budget_db": 55}, "goldens")):
        write_json(copy / "manifest.json", {**manifest, "plan": changed})
        with pytest.raises(InputError, match=words):
            run_parity(copy, (), networks)


def test_a_file_that_falls_below_the_budget_is_refused(source: Checkpoints, plan: Plan, tmp_path: Path) -> None:
    strict = replace(plan, budget_db=150.0)
    spec = BundleSpec(("perception",), (Target.ONNX,), (Precision.PLAN,), (SIZE,), source, plan=strict)
    with pytest.raises(GateError, match="the plan does not hold its budget here"):
        export_bundle(spec, tmp_path / "bundle", gate=False)
    assert not (tmp_path / "bundle").exists()


def test_probes_are_held_to_what_the_plan_costs_in_pytorch(small: Path, networks: Truth) -> None:
    file = file_in(small, Target.ONNX)
    errors = probe_errors(networks, file)
    strict = replace(file, plan=replace(file.plan, budget_db=199.0))  # type: ignore[type-var]
    rows = {row.output.split()[0]: row for row in probe_rows(small, strict, networks)}
    for name, error in errors.items():
        gate = rows[name].gate
        assert gate is not None
        assert gate.min_psnr_db == pytest.approx(error.psnr_db - 9.54, abs=0.01)
        assert "costs in PyTorch" in gate.reason
        assert rows[name].status is Status.PASSED


def test_normalisations_are_folded_and_layers_told_by_their_values(networks: Truth) -> None:
    network = networks.networks.get("perception")
    inputs = torch_inputs(network, SIZE, networks.feeds("perception", SIZE, sample_photo()))
    with torch.no_grad():
        before, after = network(*inputs), folded(network)(*inputs)
    for name in before:
        assert float((before[name] - after[name]).abs().max()) < 1e-5
    weights = weights_of(network)
    assert list(weights) == list(convolutions_of(network))
    laid_out = {f"c{k}": w.transpose(2, 3, 1, 0).astype(np.float16) for k, w in enumerate(weights.values())}
    assert list(layers_in_file(network, laid_out, weights).values()) == list(weights)
    laid_out["c2"] = laid_out["c2"] * np.float16(1.01)
    with pytest.raises(ExportError, match=r"the weights of perception\.network\.6 in the file"):
        layers_in_file(network, laid_out, weights)
