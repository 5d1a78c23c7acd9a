"""The table of formats: every format is in it once, and nobody asks which format a file has."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from portraiture.export.contract import Size
from portraiture.export.formats import LAYOUT, PRECISIONS, SUFFIX, Precision, Target
from portraiture.export.mil.interpreter import MilProgram
from portraiture.export.mil.ops.table import OPERATIONS
from portraiture.export.model_file import ModelFile, conversion, counted
from portraiture.export.networks.exported import Exported
from portraiture.export.targets import FORMATS, open_file
from portraiture.reference.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
MAY_COMPARE = ("export/targets.py", "export/formats.py")
SIZE = Size(64, 64)
HERE = [target for target, form in FORMATS.items() if not form.absent()]


def _is_member(node: ast.expr) -> bool:
    """Whether an expression is ``Target.NAME``, or a tuple, list or set that holds one."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(_is_member(e) for e in node.elts)
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Target"


def comparisons(source: str) -> Iterator[int]:
    """Lines that compare something with a member of Target."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(_is_member(e) for e in (node.left, *node.comparators)):
            yield node.lineno
        if isinstance(node, ast.MatchValue) and _is_member(node.value):
            yield node.value.lineno


def test_every_format_has_one_line_of_the_table() -> None:
    assert list(FORMATS) == list(Target)
    assert set(LAYOUT) == set(SUFFIX) == set(PRECISIONS) == set(Target)
    tree = ast.parse((ROOT / "export/targets.py").read_text())
    (table,) = (n.value for n in ast.walk(tree) if isinstance(n, ast.AnnAssign) and isinstance(n.value, ast.Dict))
    assert isinstance(table, ast.Dict)
    lines = [range(k.lineno, (v.end_lineno or 0) + 1) for k, v in zip(table.keys, table.values, strict=True) if k]
    assert [len(line) for line in lines] == [1] * len(Target)


def test_nobody_asks_which_format_a_file_has() -> None:
    files = [p for layer in ("reference", "training", "export", "tools") for p in (ROOT / layer).rglob("*.py")]
    found = [f"{p.relative_to(ROOT)}:{line}" for p in files for line in comparisons(p.read_text())
             if p.relative_to(ROOT).as_posix() not in MAY_COMPARE]  # fmt: skip
    assert not found, f"{found}: compare with a format; ask FORMATS in export/targets.py"


@pytest.mark.parametrize(
    "source",
    ["x is Target.ONNX", "Target.ONNX in y", "x not in (Target.ONNX, Target.COREML)", "match x:\n case Target.ONNX: 1"],
)
def test_a_comparison_is_seen(source: str) -> None:
    assert list(comparisons(source))


def test_the_table_loads_no_converter_and_no_runtime() -> None:
    heavy = ("coremltools", "litert_torch", "ai_edge_litert", "ai_edge_quantizer", "onnx", "onnxruntime", "tensorflow",
             "coreai", "coreai_torch", "coreai_opt")  # fmt: skip
    code = f"import sys, portraiture.export.targets; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


class Shifted(nn.Module):
    """Two maps of a photo, shifted by a constant that the network adds."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, rgb: Tensor) -> tuple[Tensor, ...]:
        return torch.split(torch.sigmoid(self.conv(rgb) + 0.25), 1, 1)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[Target, tuple[Path, ModelFile]]:
    """The same small network in every format."""
    root, found = tmp_path_factory.mktemp("written"), {}
    torch.manual_seed(0)
    network = Shifted()
    for target, form in ((t, FORMATS[t]) for t in HERE):
        file = ModelFile("perception", target, Precision.FP32, SIZE, f"p{SUFFIX[target]}")
        exported = Exported("perception", network, LAYOUT[target]).eval()
        form.write(exported, SIZE, Precision.FP32, root / file.path)
        found[target] = root, file
    return found


@pytest.mark.parametrize("target", HERE)
def test_operations_leave_constants_out(written: dict[Target, tuple[Path, ModelFile]], target: Target) -> None:
    root, file = written[target]
    kinds = counted(FORMATS[target].operations(root / file.path))
    assert {"CONV_2D", "conv", "Conv", "conv2d"} & set(kinds)
    assert not {"const", "Constant"} & set(kinds)
    assert sum(v.size for v in FORMATS[target].constants(root / file.path)) >= 3 * 2


def test_an_operation_that_the_interpreter_does_not_know_is_counted(
    written: dict[Target, tuple[Path, ModelFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, file = written[Target.COREML]
    monkeypatch.delitem(OPERATIONS, "sigmoid")
    with pytest.raises(InputError, match="found sigmoid"):
        MilProgram.load(root / file.path)
    assert counted(FORMATS[Target.COREML].operations(root / file.path))["sigmoid"] == 1


def test_tflite_reads_a_conversion_that_is_there(
    written: dict[Target, tuple[Path, ModelFile]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, file = written[Target.TFLITE]
    from portraiture.export.tflite import write

    monkeypatch.setattr(write, "convert", lambda *_: pytest.fail("converted again"))
    network = Exported("perception", Shifted(), "NHWC").eval()
    again = ModelFile("perception", Target.TFLITE, Precision.FP16, SIZE, "again.tflite")
    shutil.copyfile(root / file.path, conversion(tmp_path, "perception", SIZE))
    FORMATS[Target.TFLITE].write(network, SIZE, Precision.FP16, tmp_path / again.path, tmp_path)
    assert conversion(tmp_path, "perception", SIZE).is_file()
    rgb = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0)).mul(255).round().div(255).numpy()
    first, second = (open_file(*where).run({"rgb": rgb}) for where in ((root, file), (tmp_path, again)))
    for name, value in first.items():
        assert abs(value - second[name]).max() < 2e-3  # the weights that were converted, in fp16
