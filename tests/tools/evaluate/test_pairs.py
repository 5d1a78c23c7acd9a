"""``evaluate filter --dataset pairs``: what is averaged, and every filter against the reference's own pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from portraiture.reference.errors import InputError
from portraiture.tools.commands import evaluate
from portraiture.tools.evaluate import pairs as pair_evaluation
from portraiture.tools.evaluate.pairs import MOST_DB, compare_on_pairs, pair_figures, shipped
from portraiture.training.models.filters.table import FILTERS
from portraiture.training.rendered.files import RenderedPair, write_pair
from portraiture.training.rendered.settings import PAPER_SETTING, LensSetting
from portraiture.training.tensor_files import save_tensors

H, W = 50, 30
SETTINGS = (PAPER_SETTING, LensSetting(0.0), LensSetting(0.04, 0.5))


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two pairs whose targets are the photo, the photo, and the photo 0.1 brighter."""
    folder = tmp_path / "pairs"
    for k in range(2):
        rng = np.random.default_rng(k)
        rgb = rng.integers(20, 200, (H, W, 3)).astype(np.uint8)
        mask = np.zeros((H, W), np.uint8)
        mask[20:, 8:20] = 255
        depth = np.where(mask > 0, 10_000, 50_000).astype(np.uint16)
        sharp = rgb.astype(np.uint16) * 257
        targets = np.stack([sharp, sharp, sharp + np.uint16(6554)])
        write_pair(folder, f"pair_{k}", RenderedPair(rgb, mask, depth, targets, SETTINGS), {})
    return folder


def test_the_paper_setting_and_the_others_are_averaged_apart(pairs: Path) -> None:
    rows = {r.method: r.figures for r in compare_on_pairs(pairs, lambda pair, _: pair.rgb / 255, (), None)}
    assert list(rows) == ["photo unchanged", "RNN filter"]
    found = rows["photo unchanged"]
    assert found["photos"] == 2
    assert found["psnr_db"] == found["edge_psnr_db"] == MOST_DB
    assert found["lens_psnr_db"] == pytest.approx((MOST_DB + 20.0) / 2, abs=0.01)
    assert rows["RNN filter"] == found


def test_limit_takes_fewer_pairs(pairs: Path) -> None:
    assert pair_figures(pairs, {"a": lambda pair, _: pair.rgb / 255}, 1)["a"]["photos"] == 1


@pytest.mark.parametrize("name", list(FILTERS))
def test_every_filter_is_a_row_from_its_weights(name: str, pairs: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / f"{name}.safetensors"
    save_tensors(path, FILTERS[name]().state_dict(), {"model": name})
    rows = compare_on_pairs(pairs, lambda pair, _: pair.rgb / 255, (f"own={path}",), 1)
    assert rows[-1].method == "own"
    assert 5 < rows[-1].figures["psnr_db"] <= MOST_DB


def test_a_size_the_bundle_lacks_is_named(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Portrait:
        sizes = ()

    monkeypatch.setattr(pair_evaluation, "open_pipeline", lambda *_: Portrait())
    with pytest.raises(InputError, match="found 50x30; render them with portraiture pairs --size"):
        pair_figures(pairs, {"filter": shipped("tflite", Path("bundle"), None)}, None)


def test_the_command_prints_and_writes(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_evaluation, "from_weights", lambda _: lambda pair, _: pair.rgb / 255)
    out = tmp_path / "found.json"
    common = ["filter", "--dataset", "pairs", "--root", str(pairs), "--json", str(out)]
    evaluate.command.main(common, standalone_mode=False)
    assert json.loads(out.read_text())["psnr_db"] == MOST_DB
    evaluate.command.main([*common, "--compare"], standalone_mode=False)
    assert [row["method"] for row in json.loads(out.read_text())["rows"]] == ["photo unchanged", "RNN filter"]
