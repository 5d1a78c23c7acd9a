"""Quicker traces, and one less, change nothing in a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.export.tflite import write
from portraiture.export.tflite.retrace import quick_traces
from portraiture.export.tflite.trace import traced

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # PyTorch's, of its own trees
]


class Resized(nn.Module):
    """What makes litert-torch write ranges: a resize, of a layer of each layout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, rgb: Tensor) -> Tensor:
        small = F.avg_pool2d(self.conv(rgb), 4)
        return F.interpolate(small, scale_factor=4.0, mode="bilinear", align_corners=False) + torch.sum(rgb, 1, True)


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of nodes of each graph that litert-torch traces again."""
    from torch.export import ExportedProgram

    honest, found = ExportedProgram.run_decompositions, []

    def counted(program: ExportedProgram, *table: object) -> ExportedProgram:
        found.append(len(program.graph.nodes))
        return honest(program, *table)

    monkeypatch.setattr(ExportedProgram, "run_decompositions", counted)
    return found


def test_a_file_with_resizes_is_the_same_byte_by_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traces: list[int]
) -> None:
    torch.manual_seed(0)
    module = Resized().eval()

    @contextmanager
    def as_before() -> Iterator[None]:
        yield

    counts = []
    blocks: tuple[Callable[[], object], ...] = (quick_traces, as_before)
    for name, block in zip(("ours", "theirs"), blocks, strict=True):
        monkeypatch.setattr(write, "quick_traces", block)
        write.convert(module, [torch.rand(1, 3, 32, 32)], "resized", tmp_path / name)
        counts.append(len(traces))
        traces.clear()
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    assert counts == [0, 4]  # PyTorch's own


def test_converters_are_as_they_were_after_the_block() -> None:
    from litert_torch.backend import export
    from torch.export import ExportedProgram

    honest = export._convert_i64_to_i32, ExportedProgram.run_decompositions
    with quick_traces():
        assert export._convert_i64_to_i32 is not honest[0]
        assert ExportedProgram.run_decompositions is not honest[1]
    assert (export._convert_i64_to_i32, ExportedProgram.run_decompositions) == honest


class Inside(nn.Module):
    """Writes into a tensor that it reads again."""

    def forward(self, x: Tensor) -> Tensor:
        y = x * 2
        z = y + 1
        y.add_(x)
        return y * z


def test_a_graph_that_writes_in_place_is_left_to_pytorch(traces: list[int]) -> None:
    x = torch.tensor([1.0, -2.0])
    program = torch.export.export(Inside().eval(), (x,))
    table = torch.export.default_decompositions()
    with pytest.raises(ValueError, match="functional graph"):
        traced(program, table)
    with quick_traces():
        decomposed = program.run_decompositions(table)
    assert len(traces) == 1
    assert torch.equal(decomposed.module()(x), Inside()(x))


def test_a_traced_program_computes_the_same_and_is_decomposed(traces: list[int]) -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 3, 8, 8)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    table = torch.export.default_decompositions()
    program = torch.export.export(module, (x,)).run_decompositions({})
    traces.clear()
    with quick_traces():
        again = program.run_decompositions(table)
    assert traces == []
    expected = program.run_decompositions(table)
    assert [n.target for n in again.graph.nodes if n.op == "call_function"] == [
        n.target for n in expected.graph.nodes if n.op == "call_function"
    ]
    assert torch.equal(again.module()(x), module(x))
