"""Core AI files by Apple's own compiler and runtime, on a network of four layers and on the filter.

``make coreai-tests`` installs Apple's packages beside the environment and runs these; elsewhere they are skipped.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from portraiture.export.bundle.open import open_bundle
from portraiture.export.compare import compare
from portraiture.export.contract import Size
from portraiture.export.coreai import convert
from portraiture.export.coreai.packages import absent
from portraiture.export.coreai.program import Program
from portraiture.export.coreai.runner import CoreaiRunner
from portraiture.export.diagnosis.explain import explain
from portraiture.export.formats import PRECISIONS, Precision, Target
from portraiture.export.graph import Graph
from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.export.model_file import ModelFile, counted
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.networks.exported import Exported, TorchRunner
from portraiture.export.parity.rows import Link, Row, Status
from portraiture.export.parity.run import run_parity
from portraiture.export.parity.second_judge import second_rows, second_steps
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo
from portraiture.export.targets import FORMATS, intermediate_values, open_file
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import GateError, InputError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(absent()), reason=f"{absent()}: make coreai-tests"),
]

SIZE = Size(64, 64)
FORM, FORM_ML = FORMATS[Target.COREAI], FORMATS[Target.COREML]
PSNR_DB = {Precision.FP32: 130, Precision.FP16: 65, Precision.INT8: 55, Precision.PALETTIZED: 55}
"""Least of a sound file of :class:`Wide`; measured 157, 75, 66 and 66."""


class Wide(nn.Module):
    """Two maps of a photo; its layers are as large as those that int8 and tables begin at, one of a sensitive block."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [nn.Identity() for _ in range(6)]
        sensitive = nn.ModuleDict({"project": nn.Conv2d(128, 128, 1)})
        self.encoder = nn.ModuleDict({"blocks": nn.ModuleList([*blocks, sensitive])})
        self.first = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU6())
        self.eighth, self.sixteenth = nn.Conv2d(64, 128, 1), nn.Conv2d(128, 128, 1)
        self.last = nn.Conv2d(128, 8, 1)

    def forward(self, rgb: Tensor) -> tuple[Tensor, ...]:
        sensitive = self.encoder["blocks"][6]["project"]  # type: ignore[index]
        x = self.last(torch.relu(sensitive(self.sixteenth(torch.relu(self.eighth(self.first(rgb)))))))
        return torch.split(torch.sigmoid(nn.functional.pixel_shuffle(x[:, :, ::2, ::2], 2)), 1, 1)


def file_of(precision: Precision, root: Path) -> ModelFile:
    return ModelFile("perception", Target.COREAI, precision, SIZE, str(root / f"{precision.value}.aimodel"))


@pytest.fixture(scope="module")
def network() -> Exported:
    torch.manual_seed(0)
    wide = Wide()
    norm = wide.first[1]
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        for statistic in (norm.running_mean, norm.running_var, norm.weight):
            assert statistic is not None
            statistic.copy_(torch.rand(64) + 0.5)
    return Exported("perception", wide, "NCHW").eval()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, network: Exported) -> Path:
    """The network in every precision."""
    folder = tmp_path_factory.mktemp("coreai")
    for precision in PRECISIONS[Target.COREAI]:
        FORM.write(network, SIZE, precision, folder / f"{precision.value}.aimodel")
    return folder


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    return np.asarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)) / 255)


@pytest.mark.parametrize("precision", PRECISIONS[Target.COREAI])
def test_each_precision_computes_the_network(
    root: Path, network: Exported, rgb: np.ndarray, precision: Precision
) -> None:
    expected = TorchRunner(network, SIZE).run({"rgb": rgb})
    found = open_file(Path("/"), file_of(precision, root)).run({"rgb": rgb})
    assert list(found) == ["mask", "depth"]
    for name, value in found.items():
        assert value.dtype == np.float32
        assert compare(value, expected[name]).psnr_db > PSNR_DB[precision], name


def test_small_precisions_keep_what_is_small_or_sensitive(root: Path) -> None:
    def stored(precision: Precision) -> dict[tuple[int, ...], list[str]]:
        found: dict[tuple[int, ...], list[str]] = {}
        program = Program(root / f"{precision.value}.aimodel")
        for operation in program.operations:
            kind = operation.results[0].type
            if operation.name == "coreai.constant" and kind.rank == 4:
                found.setdefault(tuple(kind.shape), []).append(str(kind.element_type))
        return found

    assert stored(Precision.FP32)[128, 128, 1, 1] == ["f32"] * 2
    half = stored(Precision.FP16)
    assert half[128, 128, 1, 1] == ["f16"] * 2
    int8, table = stored(Precision.INT8), stored(Precision.PALETTIZED)
    assert sorted(int8[128, 128, 1, 1]) == ["f16", "si8"]  # the sensitive block's stays
    assert sorted(table[128, 128, 1, 1]) == ["f16", "ui8"]
    assert int8[128, 64, 1, 1] == ["si8"]  # 8192 weights
    assert table[128, 64, 1, 1] == ["f16"]
    for small in (int8, table):
        assert small[64, 3, 3, 3] == ["f16"]


@pytest.mark.parametrize("precision", PRECISIONS[Target.COREAI])
def test_its_weights_are_the_networks(root: Path, network: Exported, precision: Precision) -> None:
    file = file_of(precision, root)
    found = [v for _, v in FORM.weights(root / file.path, file) if v.ndim == 4 and v.shape[0] >= 8]
    layers = [m.weight.detach().numpy() for m in convert.folded(network).modules() if isinstance(m, nn.Conv2d)]
    step = 1e-7 if precision is Precision.FP32 else 5e-4
    for weight in layers:
        large = weight.size >= 8192 and precision in (Precision.INT8, Precision.PALETTIZED)
        near = [np.abs(v - weight).max() for v in found if v.shape == weight.shape]
        assert min(near) <= (6e-3 if large else step) * np.abs(weight).max()
    assert sum(v.size for v in FORM.constants(root / file.path)) >= sum(w.size for w in layers)


def test_operations_have_the_composites_names_and_no_weights(root: Path) -> None:
    for precision in PRECISIONS[Target.COREAI]:
        kinds = counted(FORM.operations(root / f"{precision.value}.aimodel"))
        assert kinds["conv2d"] == 5
        assert kinds["pixel_shuffle"] == 1
        assert not {"constant", "invoke", "blockwise_shift_scale", "lut_to_dense"} & set(kinds)


def test_the_graph_has_the_contracts_inputs(root: Path) -> None:
    graph: Graph = FORM.graph(root / "int8.aimodel", file_of(Precision.INT8, root))
    assert [str(t) for t in graph.inputs] == ["float32 1x3x64x64"]
    assert [str(t) for t in graph.outputs] == ["float32 1x1x64x64"] * 2
    convolutions = [n for n in graph.nodes if n.kind == "conv2d"]
    assert len(convolutions) == 5
    assert {t.dtype for n in convolutions for t in n.inputs} == {"float16"}


def test_every_value_can_be_read(root: Path, network: Exported, rgb: np.ndarray) -> None:
    values = dict(intermediate_values(Path("/"), file_of(Precision.FP32, root), {"rgb": rgb}))
    x = torch.from_numpy(rgb.transpose(2, 0, 1)[None]).float()
    inner = network.network
    assert isinstance(inner, Wide)
    with torch.no_grad():
        expected = inner.eighth(inner.first(x)).numpy()
    errors = {n: np.abs(v - expected).max() for n, v in values.items() if v.shape == expected.shape}
    assert min(errors.values()) < 1e-5


def test_two_conversions_are_equal_and_hold_no_path(root: Path, network: Exported, tmp_path: Path) -> None:
    convert.converted.cache_clear()
    again = tmp_path / "again.aimodel"
    FORM.write(network, SIZE, Precision.INT8, again)
    for part in sorted(p.name for p in again.iterdir()):
        first, second = (root / "int8.aimodel" / part).read_bytes(), (again / part).read_bytes()
        assert first == second, part
        assert str(Path(convert.__file__).parents[2]).encode() not in second
        assert b"creationDate" not in second


def test_what_it_needs_is_what_apple_says(root: Path) -> None:
    from coreai.authoring import AIModelAsset

    assert FORM.needs(root / "fp16.aimodel") == {"asset": "2.0", "ios": "27", "macos": "27"}
    summary = AIModelAsset.load(root / "fp16.aimodel").summary(include_statistics=False)
    assert summary is not None
    assert summary._compatibility_version == "27.0"


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A file to damage."""
    return Path(shutil.copytree(root / "fp32.aimodel", tmp_path / "fp32.aimodel"))


@pytest.mark.parametrize(
    ("part", "damage", "words"),
    [
        ("main.mlirb", lambda b: b[:-1] + bytes([b[-1] ^ 1]), "expected the program of main.hash, found another"),
        ("main.mlirb", lambda _: None, "expected a part of an .aimodel, found no such file"),
        ("main.hash", lambda _: b"", "expected the program of main.hash, found another"),
        ("metadata.json", lambda _: b"{", "expected JSON"),
        ("metadata.json", lambda _: b"[]", "expected an object, found list"),
    ],
)
def test_damage_is_one_line(
    copy: Path, rgb: np.ndarray, part: str, damage: Callable[[bytes], bytes | None], words: str
) -> None:
    after = damage((copy / part).read_bytes())
    (copy / part).unlink()
    if after is not None:
        (copy / part).write_bytes(after)
    with pytest.raises(InputError, match=words) as raised:
        open_file(Path("/"), replace(file_of(Precision.FP32, copy.parent))).run({"rgb": rgb})
    assert "\n" not in str(raised.value)


def test_another_size_is_refused(root: Path) -> None:
    with pytest.raises(InputError, match=r"expected inputs \{'rgb': \(1, 3, 64, 96\)\}, found"):
        open_file(Path("/"), replace(file_of(Precision.FP32, root), size=Size(64, 96)))


def test_a_process_that_ends_leaves_nothing(root: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from portraiture.export.coreai.session import Session;"
        "session = Session(Path(sys.argv[1])); print(session.inputs)"
    )
    command = [sys.executable, "-c", code, str(root / "fp32.aimodel")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "{'rgb': (1, 3, 64, 64)}"
    assert list(tmp_path.iterdir()) == []


def test_the_gate_passes_the_shipped_filter(tmp_path: Path) -> None:
    spec = BundleSpec(("filter",), (Target.COREAI,), (Precision.FP16,), (SIZE,))
    export_bundle(spec, tmp_path / "bundle", gate=False, processes=1)
    rows = run_parity(tmp_path / "bundle", second=True)
    own = [r for r in rows if r.subject.file and r.subject.file.target is Target.COREAI]
    assert [r.output.split(" at ")[0].split(" on ")[0] for r in own] == [*["portrait"] * 2, "portrait",
                                                                         "change between settings"]  # fmt: skip
    assert {r.status for r in own} == {Status.PASSED}
    assert all("Apple's compiler and runtime" in r.note for r in own)
    assert all("export/measured_errors.csv" in r.reason for r in own)
    (row,) = [r for r in rows if str(r.subject) == "all coreai"]
    assert row.status is Status.NOT_RUN
    assert not [r for r in rows if r.link is Link.SECOND]  # no Core ML file, nothing to judge


@dataclass(frozen=True)
class Judged:
    """A Core ML file of four layers in fp16."""

    root: Path
    truth: Truth

    def rows(self) -> list[Row]:
        """What the second judge says of it."""
        files = open_bundle(self.root).files
        ((_, rows),) = second_steps(self.root, files, self.truth, sample_photo())
        return list(rows)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, quick_source: str) -> Judged:
    folder = tmp_path_factory.mktemp("judged")
    (folder / "quick.py").write_text(quick_source)
    own = Checkpoints(own=f"{folder / 'quick.py'}:build")
    spec = BundleSpec(("perception",), (Target.COREML,), (Precision.FP16,), (SIZE,), own)
    export_bundle(spec, folder / "bundle", gate=False, processes=1)
    return Judged(folder / "bundle", Truth(Networks(own)))


def test_the_second_judge_stands_beside_the_interpreter(judged: Judged) -> None:
    rows = judged.rows()
    assert {(str(r.subject), r.link) for r in rows} == {("perception coreml fp16 64x64 by Core AI", Link.SECOND)}
    assert [r.output for r in rows] == ["mask", "depth", "mask of the file", "depth of the file"]
    for row in rows:
        assert row.status is Status.PASSED
        assert row.difference is not None
        assert row.difference.psnr_db > 60
    assert ["MIL interpreter" in r.note for r in rows] == [False, False, True, True]
    assert min(r.difference.max_abs for r in rows[:2] if r.difference) > 1e-6  # fp16 it is


def test_a_wrong_interpreter_fails_by_the_second_judge(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(x: Tensor) -> Tensor:
        return torch.sigmoid(x) + 0.01

    monkeypatch.setitem(OPERATIONS, "sigmoid", shifted)
    assert [r.status for r in judged.rows()] == [Status.PASSED] * 2 + [Status.FAILED] * 2


def test_a_wrong_second_judge_fails_itself(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    run = CoreaiRunner.run
    monkeypatch.setattr(CoreaiRunner, "run", lambda self, feeds: {n: v * 0.98 for n, v in run(self, feeds).items()})
    assert [r.status for r in judged.rows()] == [Status.FAILED] * 4


def test_a_bundles_own_file_is_the_second_judges(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    files = list(open_bundle(judged.root).files)
    monkeypatch.setitem(FORMATS, Target.COREAI, replace(FORM, write=lambda *_: pytest.fail("converted again"),
                                                        open=lambda path, file: FORM_ML.open(path, file)))  # fmt: skip
    own = replace(files[0], target=Target.COREAI)  # the same path: what opens it is Core ML's runner
    rows = list(second_rows(judged.root, files[0], [*files, own], judged.truth, sample_photo()))
    assert [r.difference.max_abs for r in rows[2:] if r.difference] == [0.0, 0.0]


def quick_spec(quick: Checkpoints) -> BundleSpec:
    return BundleSpec(("perception",), (Target.COREAI,), (Precision.FP32,), (SIZE,), quick)


def test_a_converter_that_computes_otherwise_is_refused(
    quick: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = convert.folded

    def planted(network: Exported) -> Exported:
        copied = fold(network)
        first = next(m for m in copied.modules() if isinstance(m, nn.Conv2d))
        with torch.no_grad():
            first.weight.mul_(1.05)
        return copied

    monkeypatch.setattr(convert, "folded", planted)
    with pytest.raises(GateError, match=r"mask: expected max error .*weights of .* are not the checkpoint's"):
        export_bundle(quick_spec(quick), tmp_path / "bundle", gate=False)
    assert not (tmp_path / "bundle").exists()


def test_parity_locates_a_fault_in_a_file(quick: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, truth = tmp_path / "bundle", Truth(Networks(quick))
    export_bundle(quick_spec(quick), bundle, gate=False)
    sound = run_parity(bundle, truth=truth)
    assert Status.FAILED not in {r.status for r in sound}
    run = CoreaiRunner.run
    swapped = lambda self, feeds: run(self, {**feeds, "rgb": np.asarray(feeds["rgb"])[..., ::-1]})  # noqa: E731
    monkeypatch.setattr(CoreaiRunner, "run", swapped)
    explained = explain(bundle, run_parity(bundle, truth=truth), truth, [sample_photo()])
    failed = [r for r in explained if r.status is Status.FAILED]
    assert failed
    assert "B G R" in failed[0].note
