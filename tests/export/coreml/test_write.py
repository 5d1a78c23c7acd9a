"""What makes a conversion quicker changes nothing in a package."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from portraiture.export.contract import Size
from portraiture.export.coreml import write
from portraiture.export.formats import Precision
from portraiture.export.networks.build import Checkpoints, Networks

pytestmark = pytest.mark.slow

SIZE = Size(64, 64)


def content(package: Path) -> dict[str, bytes]:
    return {p.relative_to(package).as_posix(): p.read_bytes() for p in package.rglob("*") if p.is_file()}


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The precision of each conversion by coremltools."""
    import coremltools as ct

    honest, found = ct.convert, []

    def counted(*given: object, **options: object) -> object:
        found.append(options["compute_precision"])
        return honest(*given, **options)

    monkeypatch.setattr(ct, "convert", counted)
    return found


def test_precisions_share_a_trace_and_a_conversion_and_are_the_same_byte_by_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, converted: list[object]
) -> None:
    network = Networks().get("coarse")
    precisions = [Precision.FP32, Precision.FP16, Precision.INT8]
    for precision in precisions:
        write.write(network, SIZE, precision, tmp_path / f"shared_{precision.value}.mlpackage")
    assert len(converted) == 2
    monkeypatch.setattr(write, "_traced", write._traced.__wrapped__)
    monkeypatch.setattr(write, "_converted", write._converted.__wrapped__)
    monkeypatch.setattr(write, "unwatched", nullcontext)
    for precision in reversed(precisions):
        write.write(network, SIZE, precision, tmp_path / f"alone_{precision.value}.mlpackage")
        alone, shared = (content(tmp_path / f"{kind}_{precision.value}.mlpackage") for kind in ("alone", "shared"))
        assert alone.keys() == shared.keys()
        assert [name for name in alone if alone[name] != shared[name]] == [], precision
    assert len(converted) == 2 + 3


def test_another_network_is_not_taken_for_the_last_one(tmp_path: Path, quick: Checkpoints) -> None:
    """Two networks of one model, one after the other: the kept conversion is the first one's alone."""
    first, second = Networks(quick).get("perception"), Networks(quick).get("perception")
    weight = next(p for p in second.parameters() if p.ndim == 4)
    weight.data *= 1.5
    for k, network in enumerate((first, second)):
        write.write(network, SIZE, Precision.FP16, tmp_path / f"{k}.mlpackage")
    assert content(tmp_path / "0.mlpackage") != content(tmp_path / "1.mlpackage")


def test_a_whole_program_is_still_validated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: Checkpoints
) -> None:
    from coremltools.converters.mil.mil import Program

    validated = []
    honest = Program.validate
    monkeypatch.setattr(Program, "validate", lambda *given, **options: validated.append(1) or honest(*given, **options))
    write.write(Networks(quick).get("perception"), SIZE, Precision.INT8, tmp_path / "p.mlpackage")
    assert len(validated) == 1
