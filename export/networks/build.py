"""The networks behind the exported models, in the layout of each target."""

import torch
from torch import nn

from portraiture.export.contract import Size, model_contract
from portraiture.export.networks.checkpoints import Checkpoints
from portraiture.export.networks.exported import Exported
from portraiture.export.networks.portrait import Portrait
from portraiture.export.networks.torch_runner import TorchRunner
from portraiture.export.networks.wrappers import SPN_TASKS, Coarse, Filter, Perception, Spn
from portraiture.export.runner import Runner
from portraiture.training.weights import load_filter, load_perception


def build(name: str, checkpoints: Checkpoints, layout: str = "NCHW") -> Exported:
    """Load the weights of a model and wrap it for a layout, in evaluation mode."""
    model_contract(name)
    if name == "filter":
        network: nn.Module = Filter(load_filter(checkpoints.filter))
    elif name == "portrait":
        network = Portrait(load_perception(checkpoints.perception), load_filter(checkpoints.filter))
    else:
        perception = load_perception(checkpoints.perception)
        if name in SPN_TASKS:
            network = Spn(perception, SPN_TASKS[name])
        else:
            network = Coarse(perception) if name == "coarse" else Perception(perception)
    return Exported(name, network, layout).eval()


def open_torch(name: str, size: Size, checkpoints: Checkpoints, dtype: torch.dtype = torch.float32) -> Runner:
    """The runner of a PyTorch network."""
    return TorchRunner(build(name, checkpoints), size, dtype)
