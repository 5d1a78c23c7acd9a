"""The model card in a manifest: what ``MODEL_CARD.md`` says of each network, by its headings."""

import re
from collections.abc import Mapping
from pathlib import Path

from portraiture.export.bundle.checksums import sha256
from portraiture.export.networks.build import Checkpoints
from portraiture.training.weights import MODEL_CARD

HEADINGS = ("Training", "Data and licences", "Measured quality", "Known failures")

OWN_WEIGHTS = "Not the shipped weights: whoever trained them states their data, licences, quality and failures."


def sections(text: str) -> dict[str, dict[str, str]]:
    """The text below ``### Heading`` of each ``## NETWORK.safetensors`` of a card, by network and heading.

    Comments are left out.
    """
    text = re.sub(r"(?s)<!--.*?-->\n?", "", text)
    found = {}
    for part in re.split(r"(?m)^## ", text)[1:]:
        title, *below = re.split(r"(?m)^### ", part)
        found[title.split(".")[0]] = {h.strip(): body.strip() for h, _, body in (b.partition("\n") for b in below)}
    return found


def write_card(card: Mapping[str, Mapping[str, str]], path: Path) -> None:
    """The card as people read it, its networks and headings in order."""
    parts = ["# Model card"]
    for network, texts in card.items():
        parts += [f"## {network}", *(f"### {heading}\n\n{text}" for heading, text in texts.items())]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def model_card(checkpoints: Checkpoints) -> dict[str, dict[str, str]]:
    """The card of a bundle's weights, by network; it claims nothing of those that are not the shipped ones."""
    shipped, card = Checkpoints().of_look(checkpoints.look), sections(MODEL_CARD.read_text(encoding="utf-8"))
    paths = {"perception": (checkpoints.perception, shipped.perception), "filter": (checkpoints.filter, shipped.filter)}
    own = {"perception"} if checkpoints.own is not None else set()
    return {
        name: card[paths[name][1].stem]
        if name not in own and sha256(used) == sha256(ours)
        else {"Training": OWN_WEIGHTS}
        for name, (used, ours) in paths.items()
    }
