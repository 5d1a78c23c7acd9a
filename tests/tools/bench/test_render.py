"""The render bench times what it says and its large photo agrees with the reference."""

from pathlib import Path

import pytest

from portraiture.tools.bench.render import bench_render


def test_figures_fit_together(bundle: Path) -> None:
    figures = bench_render(bundle, repeats=1, megapixels=0.2)
    assert figures.size == "128x96"
    assert figures.ratio == pytest.approx(figures.reference_ms / figures.filter_ms)
    assert figures.ratio > 1
    assert set(figures.stages_s) == {"read", "perceive", "render", "write"}
    assert figures.end_to_end_s == pytest.approx(sum(figures.stages_s.values()))
    # how near the filter is to the reference, tests/test_quality.py and the gate's second link judge at 512x384
    assert figures.psnr_db > 36
