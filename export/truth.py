"""What the gate holds every file against: the PyTorch networks in float64, and the inputs that both sides get."""

import numpy as np
import torch

from portraiture.export.contract import Size, model_contract
from portraiture.export.goldens import FOCUS_PERSON
from portraiture.export.networks import SPN_TASKS, Checkpoints
from portraiture.export.pipeline import Pipeline
from portraiture.export.runtimes.base import Feeds
from portraiture.export.runtimes.open import open_torch
from portraiture.reference.lens import APERTURE_PAPER


class Truth:
    """The float64 networks by model and size, and the inputs of every comparison."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.checkpoints = checkpoints
        self.pipelines: dict[Size, Pipeline] = {}

    def pipeline(self, size: Size) -> Pipeline:
        """The Python pipeline in float64 at one size."""
        if size not in self.pipelines:
            self.pipelines[size] = Pipeline(lambda n, s: open_torch(n, s, self.checkpoints, torch.float64), [size])
        return self.pipelines[size]

    def feeds(self, name: str, size: Size, photo: np.ndarray) -> Feeds:
        """The inputs of a model for a photo; maps come from the float64 perception."""
        maps = self.pipeline(size).perceive(photo)
        feeds: Feeds = {"rgb": maps.model_rgb / np.float32(255)}
        if name in SPN_TASKS:  # an app's own coarse map: here the network's
            coarse = self.outputs("coarse", size, dict(feeds))
            return feeds | {s.name: coarse[s.name.removeprefix("coarse_")].astype(np.float32)
                            for s in model_contract(name).inputs[1:]}  # fmt: skip
        if name == "filter":
            feeds |= {"mask": maps.model_mask, "depth": maps.model_depth}
        if name in ("filter", "portrait"):
            feeds |= {"aperture": APERTURE_PAPER, "focus": FOCUS_PERSON}
        return feeds

    def outputs(self, name: str, size: Size, feeds: Feeds) -> dict[str, np.ndarray]:
        """What the float64 network gives."""
        return self.pipeline(size).runner(name, size).run(feeds)
