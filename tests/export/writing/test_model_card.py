"""The manifest's model card: every network's data, licences, quality and failures, and no claim for other weights."""

from pathlib import Path

from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.formats import Route, Target
from portraiture.export.networks.build import Checkpoints
from portraiture.export.writing.model_card import HEADINGS, OWN_WEIGHTS, model_card, write_card
from portraiture.export.writing.provenance import tool_versions
from portraiture.training.tensor_files import load_tensors, save_tensors
from portraiture.training.weights import SHIPPED_FILTER


def test_a_bundle_states_data_licences_quality_and_failures(bundle: Path) -> None:
    card = read_manifest(bundle)["model_card"]
    for network in ("perception", "filter"):
        assert set(card[network]) == set(HEADINGS)
        assert all(len(text) > 40 for text in card[network].values())
    assert "Research use" in card["perception"]["Data and licences"]
    assert "mean IoU" in card["perception"]["Measured quality"]
    assert "hair" in card["perception"]["Known failures"]
    assert "<!--" not in str(card)  # the commands behind its figures are for the repository


def test_nothing_is_claimed_of_other_weights(tmp_path: Path) -> None:
    tensors, metadata = load_tensors(SHIPPED_FILTER)
    own = tmp_path / "own.safetensors"
    save_tensors(own, {k: v * 2 for k, v in tensors.items()}, metadata)
    card = model_card(Checkpoints(filter=own))
    assert card["filter"] == {"Training": OWN_WEIGHTS}
    write_card(card, tmp_path / "card.md")
    text = (tmp_path / "card.md").read_text()
    assert OWN_WEIGHTS in text
    assert "RNN filter against" not in text
    assert "SSIM" not in text  # no figure of weights that are not there
    assert set(card["perception"]) == set(HEADINGS)


def test_versions_of_onnx_are_told_where_it_was_used() -> None:
    assert "onnx" not in tool_versions((Target.TFLITE, Target.COREML))
    for used in (tool_versions((Target.ONNX,)), tool_versions((Target.TFLITE,), Route.ONNX_TF)):
        assert {"onnx", "onnxruntime", "torch"} <= used.keys()
