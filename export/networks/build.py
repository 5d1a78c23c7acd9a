"""The networks behind the exported models, in the layout and the arithmetic that a user of them needs."""

import copy
import filecmp
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import torch
from torch import nn

from portraiture.export.contract import FilterLook, Size, model_contract
from portraiture.export.networks.exported import Exported, TorchRunner
from portraiture.export.networks.wrappers import SPN_TASKS, Coarse, Filter, Perception, Spn
from portraiture.export.runner import Runner
from portraiture.reference.errors import OptionError
from portraiture.training.models.filters.base import LensFilter
from portraiture.training.models.perception import MobilePerception
from portraiture.training.weights import (
    SHIPPED_FILTER,
    SHIPPED_LENS,
    SHIPPED_PERCEPTION,
    load_filter,
    load_lens_filter,
    load_perception,
)

if TYPE_CHECKING:
    from portraiture.export.networks.own import OwnPerception
    from portraiture.training.checkpoints.read import Which

_Network = TypeVar("_Network", bound=nn.Module)


SHIPPED_FILTERS = {FilterLook.PAPER: SHIPPED_FILTER, FilterLook.LENS: SHIPPED_LENS}


@dataclass(frozen=True)
class Checkpoints:
    """Weight files; the defaults are the ones shipped with the package.

    Attributes:
        perception, filter: checkpoint files.
        which: of a file that holds raw and averaged weights; None takes the averaged ones.
        own: a network in the place of ``perception``, as ``own_source.load_own`` takes it; None takes ours.
        look: what the filter draws; ``filter`` is a file of that look, see :meth:`of_look`.
        blades: of the iris of the lens look, 5..9, or 0 for round disks.
        rotation_deg: how far the iris is turned.
    """

    perception: Path = SHIPPED_PERCEPTION
    filter: Path = SHIPPED_FILTER
    which: "Which | None" = None
    own: str | None = None
    look: FilterLook = FilterLook.PAPER
    blades: int = 0
    rotation_deg: float = 0.0

    def of_look(self, look: FilterLook, blades: int = 0, rotation_deg: float = 0.0) -> "Checkpoints":
        """The same with a filter of another look; a shipped filter gives place to that look's.

        Args:
            look: what the filter draws.
            blades, rotation_deg: of the iris; with ``LENS`` alone.
        """
        shipped = look is not self.look and self.filter == SHIPPED_FILTERS[self.look]
        rnn_filter = SHIPPED_FILTERS[look] if shipped else self.filter
        return replace(self, filter=rnn_filter, look=look, blades=blades, rotation_deg=rotation_deg)

    def are_shipped(self) -> bool:
        """Whether both files hold the weights that are shipped, wherever they lie, and the networks are ours."""
        if self.own is not None or self.blades:
            return False
        pairs = ((self.perception, SHIPPED_PERCEPTION), (self.filter, SHIPPED_FILTERS[self.look]))
        return all(a.is_file() and filecmp.cmp(a, b, shallow=False) for a, b in pairs)


class Networks:
    """The networks of two weights files. Each network is built once, each file is read once.

    Whoever gets a network may run it and must not change it: others hold the same one.

    Args:
        checkpoints: the weights files; default the shipped ones.
    """

    def __init__(self, checkpoints: Checkpoints | None = None) -> None:
        self.checkpoints = checkpoints or Checkpoints()
        self._loaded: dict[tuple[Callable[..., nn.Module], torch.dtype], nn.Module] = {}
        self._built: dict[tuple[str, str, torch.dtype], Exported] = {}

    def get(self, name: str, layout: str = "NCHW", dtype: torch.dtype = torch.float32) -> Exported:
        """A model's network with its weights, in evaluation mode; the same object at every call.

        Args:
            name: of the model.
            layout: of its inputs and outputs, ``NCHW`` or ``NHWC``.
            dtype: of its weights and arithmetic, float32 or float64.

        Raises:
            InputError: no such model, or its weights cannot be read.
            OptionError: a part of our own perception is asked for, and there is another network in its place.
        """
        key = (name, layout, dtype)
        if key not in self._built:
            self._built[key] = Exported(name, self._wrapped(name, dtype), layout).eval()
        return self._built[key]

    def runner(self, name: str, size: Size, dtype: torch.dtype = torch.float32) -> Runner:
        """The runner of a model's network.

        Args:
            name: of the model.
            size: of its inputs, height and width in pixels.
            dtype: of its arithmetic, float32 or float64.
        """
        return TorchRunner(self.get(name, dtype=dtype), size)

    def _wrapped(self, name: str, dtype: torch.dtype) -> nn.Module:
        model_contract(name)
        if name == "filter":
            return Filter(self._filter(dtype))
        perception = self._perception(dtype)
        if name == "portrait":
            from portraiture.export.networks.portrait import Portrait  # not of a render, which runs the two apart

            return Portrait(perception, self._filter(dtype))
        if name == "perception":
            return Perception(perception)
        if not isinstance(perception, MobilePerception):
            raise OptionError(
                f"--network: expected the models perception, filter or portrait with it, found {name}, which is a part"
                " of our own network; drop it"
            )
        return Spn(perception, SPN_TASKS[name]) if name in SPN_TASKS else Coarse(perception)

    def _filter(self, dtype: torch.dtype) -> LensFilter:
        """The filter of the look."""
        if self.checkpoints.look is FilterLook.PAPER:
            return self._load(load_filter, self.checkpoints.filter, dtype)
        return self._load(self._load_lens, self.checkpoints.filter, dtype)

    def _load_lens(self, path: Path, which: "Which | None") -> LensFilter:
        return load_lens_filter(path, which, self.checkpoints.blades, self.checkpoints.rotation_deg)

    def _perception(self, dtype: torch.dtype) -> "MobilePerception | OwnPerception":
        """Ours, or the one in its place."""
        files = self.checkpoints
        if files.own is None:
            return self._load(load_perception, files.perception, dtype)
        return self._load(self._load_own, Path(files.own), dtype)

    def _load_own(self, _path: Path, _which: "Which | None") -> "OwnPerception":
        from portraiture.export.networks.own import OwnPerception
        from portraiture.export.networks.own_source import load_own

        files = self.checkpoints
        assert files.own is not None
        own = load_own(files.own)
        lacks = own.mask is None or own.depth is None
        ours = self._load(load_perception, files.perception, torch.float32) if lacks else None
        return OwnPerception(own, ours).eval()

    def own_digest(self) -> str | None:
        """SHA-256 of the tensors of the network that stands in the place of ours; None where there is none."""
        if self.checkpoints.own is None:
            return None
        digest = hashlib.sha256()
        for name, tensor in sorted(self._perception(torch.float32).state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().contiguous().numpy().tobytes())
        return digest.hexdigest()

    @property
    def own_sizes(self) -> tuple[Size, ...]:
        """The inputs that a network in the place of ours takes; empty where any will do."""
        if self.checkpoints.own is None:
            return ()
        perception = self._perception(torch.float32)
        return () if isinstance(perception, MobilePerception) else perception.sizes

    def _load(self, load: "Callable[[Path, Which | None], _Network]", path: Path, dtype: torch.dtype) -> _Network:
        """A network by its loader; float64 is made of a copy of float32."""
        key = (load, dtype)
        if key not in self._loaded:
            single = torch.float32
            if dtype is single:
                self._loaded[key] = load(path, self.checkpoints.which)
            else:
                self._loaded[key] = copy.deepcopy(self._load(load, path, single)).to(dtype)
        return cast(_Network, self._loaded[key])
