"""The manifest's model card: every network's data, licences, quality and failures, and no claim for other weights."""

from pathlib import Path

from portraiture.export.manifest import read_manifest
from portraiture.export.model_card import HEADINGS, OWN_WEIGHTS, model_card
from portraiture.export.networks import Checkpoints
from portraiture.training.checkpoint import load_tensors, save_tensors
from portraiture.training.weights import SHIPPED_FILTER


def test_a_bundle_states_data_licences_quality_and_failures(bundle: Path) -> None:
    card = read_manifest(bundle)["model_card"]
    for network in ("perception", "filter"):
        assert set(card[network]) == set(HEADINGS)
        assert all(len(text) > 40 for text in card[network].values())
    assert "Research use" in card["perception"]["Data and licences"]
    assert "mean IoU" in card["perception"]["Measured quality"]
    assert "hair" in card["perception"]["Known failures"]


def test_nothing_is_claimed_of_other_weights(tmp_path: Path) -> None:
    tensors, metadata = load_tensors(SHIPPED_FILTER)
    own = tmp_path / "own.safetensors"
    save_tensors(own, {k: v * 2 for k, v in tensors.items()}, metadata)
    card = model_card(Checkpoints(filter=own))
    assert card["filter"] == {"Training": OWN_WEIGHTS}
    assert set(card["perception"]) == set(HEADINGS)
