"""The trace that is left out changes nothing in a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from portraiture.export.tflite import write
from portraiture.export.tflite.retrace import one_trace_less

pytestmark = pytest.mark.slow


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
    blocks: tuple[Callable[[], object], ...] = (one_trace_less, as_before)
    for name, block in zip(("ours", "theirs"), blocks, strict=True):
        monkeypatch.setattr(write, "one_trace_less", block)
        write.convert(module, [torch.rand(1, 3, 32, 32)], "resized", tmp_path / name)
        counts.append(len(traces))
        traces.clear()
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    assert counts == [3, 4]


def test_litert_torch_is_as_it_was_after_the_block() -> None:
    from litert_torch.backend import export

    honest = export._convert_i64_to_i32
    with one_trace_less():
        assert export._convert_i64_to_i32 is not honest
    assert export._convert_i64_to_i32 is honest
