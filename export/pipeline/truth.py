"""What the gate holds every file against: the PyTorch networks in float64, and the inputs that both sides get."""

import hashlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from portraiture.export.contract import FilterLook, Kind, Size, model_contract
from portraiture.export.networks.build import Networks
from portraiture.export.networks.look import of_manifest
from portraiture.export.networks.wrappers import SPN_TASKS
from portraiture.export.pipeline.memory import Memory
from portraiture.export.pipeline.pipeline import Pipeline
from portraiture.export.pipeline.probes import Probe
from portraiture.export.pipeline.recall import RecallingRunner
from portraiture.export.pipeline.settings import Setting
from portraiture.export.runner import Feeds
from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER

Arrays = dict[str, np.ndarray]


class Truth:
    """The float64 networks by model and size, and the inputs of every comparison.

    Args:
        networks: of the weights that are exported or judged.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self.pipelines: dict[Size, Pipeline] = {}
        self._memory = Memory()

    @property
    def shipped(self) -> bool:
        """Whether these are the shipped weights, whose files' errors were measured."""
        return self.networks.checkpoints.are_shipped()

    def of_manifest(self, manifest: Mapping[str, Any]) -> "Truth":
        """This, or, where a bundle's manifest names another look of the filter, the truth of that look."""
        checkpoints = of_manifest(self.networks.checkpoints, manifest)
        return self if checkpoints == self.networks.checkpoints else Truth(Networks(checkpoints))

    @property
    def look(self) -> FilterLook:
        """What the filter draws."""
        return self.networks.checkpoints.look

    def __getstate__(self) -> dict[str, Any]:
        """What another process is given: the networks and what is remembered."""
        return {**self.__dict__, "pipelines": {}}

    def _remember(
        self, kind: str, name: str, size: Size, photo: np.ndarray, make: Callable[[], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """What ``make`` gives for a photo, remembered."""
        key = kind, name, size, hashlib.sha256(photo.tobytes()).digest() + repr(photo.shape).encode()
        return self.remembered(key, make)

    def remembered(self, key: Hashable, make: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """What ``make`` gives, by a name and what it belongs to, remembered."""
        return self._memory.remember(key, make)

    def pipeline(self, size: Size) -> Pipeline:
        """The Python pipeline in float64 at one size."""
        if size not in self.pipelines:
            self.pipelines[size] = Pipeline(lambda n, s: RecallingRunner(self.networks, n, s, self._memory), [size])
        return self.pipelines[size]

    def portrait(self, size: Size, photo: np.ndarray, fused: bool = False) -> np.ndarray:
        """The Python pipeline's portrait at the photo's own size and the paper's aperture.

        Args:
            size: of the models, height and width in pixels.
            photo: HxWx3 uint8.
            fused: by the model ``portrait`` alone, which knows no passers-by.
        """

        def render() -> Arrays:
            pipeline = self.pipeline(size)
            if fused:
                return {"portrait": pipeline.render_fused(photo, APERTURE_PAPER)}
            return {"portrait": pipeline.render(photo, pipeline.perceive(photo), APERTURE_PAPER)}

        kind = "fused pipeline" if fused else "pipeline"
        return np.asarray(self._remember(kind, "portrait", size, photo, render)["portrait"])

    def feeds(self, name: str, size: Size, photo: np.ndarray) -> Feeds:
        """The inputs of a model for a photo; maps come from the float64 perception.

        Args:
            name: of the model.
            size: of its inputs, height and width in pixels.
            photo: HxWx3 uint8.

        Returns:
            The contract's inputs: images hxwx3 and maps hxw in 0..1, scalars as numbers.
        """
        return dict(self._remember("feeds", name, size, photo, lambda: self._feeds(name, size, photo)))

    def _feeds(self, name: str, size: Size, photo: np.ndarray) -> Feeds:
        maps = self._remember("maps", "perception", size, photo, lambda: self._maps(size, photo))
        feeds: Feeds = {"rgb": maps["rgb"]}
        if name in SPN_TASKS:  # an app's own coarse map: here the network's
            coarse = self.outputs("coarse", size, dict(feeds))
            return feeds | {s.name: coarse[s.name.removeprefix("coarse_")].astype(np.float32)
                            for s in model_contract(name).inputs[1:]}  # fmt: skip
        if name == "filter":
            feeds |= {"mask": maps["mask"], "depth": maps["depth"]}
        if name in ("filter", "portrait"):
            feeds |= {"aperture": APERTURE_PAPER, "focus": FOCUS_ON_PERSON}
        return feeds

    def _maps(self, size: Size, photo: np.ndarray) -> Arrays:
        maps = self.pipeline(size).perceive(photo)
        return {"rgb": maps.model_rgb / np.float32(255), "mask": maps.model_mask, "depth": maps.model_depth}

    def feeds_at(self, name: str, size: Size, photo: np.ndarray, setting: Setting) -> Feeds:
        """The inputs of :meth:`at_setting`.

        Args:
            name, size, photo, setting: as there.
        """
        return self.feeds(name, size, photo) | {"aperture": setting.aperture, "focus": setting.focus}

    def at_setting(self, name: str, size: Size, photo: np.ndarray, setting: Setting) -> tuple[Feeds, Arrays]:
        """Inputs of filter or portrait for a photo at one setting, and what the float64 network gives, remembered.

        Args:
            name: of the model.
            size: of its inputs, height and width in pixels.
            photo: HxWx3 uint8.
            setting: aperture and focus.
        """
        feeds = self.feeds_at(name, size, photo, setting)
        expected = self._remember(f"outputs at {setting}", name, size, photo, lambda: self.outputs(name, size, feeds))
        return feeds, dict(expected)

    def on_probe(self, name: str, size: Size, probe: Probe) -> tuple[Feeds, Arrays]:
        """Inputs of a model for a probe, and what the float64 network gives, remembered.

        Args:
            name: of the model.
            size: of its inputs, height and width in pixels.
            probe: one of its probes.
        """
        feeds = self.feeds_on(name, size, probe)
        key = probe.photo(size)
        expected = self._remember(f"probe {probe.name}", name, size, key, lambda: self.outputs(name, size, feeds))
        return feeds, dict(expected)

    def feeds_on(self, name: str, size: Size, probe: Probe) -> Feeds:
        """The inputs of :meth:`on_probe`.

        Args:
            name, size, probe: as there.
        """
        feeds = self.feeds(name, size, probe.photo(size))
        if "aperture" in feeds:
            feeds |= {"aperture": probe.setting.aperture, "focus": probe.setting.focus}
        if probe.maps_of_noise:
            maps = [s.name for s in model_contract(name).inputs if s.kind is Kind.MAP]
            feeds |= {n: probe.noise_map(size, k) for k, n in enumerate(maps, 1)}
        return feeds

    def outputs(self, name: str, size: Size, feeds: Feeds) -> Arrays:
        """What the float64 network gives.

        Args:
            name: of the model.
            size: of its inputs, height and width in pixels.
            feeds: the contract's inputs.
        """
        return self.pipeline(size).runner(name, size).run(feeds)

    def expected(self, name: str, size: Size, photo: np.ndarray) -> Arrays:
        """What the float64 network gives for :meth:`feeds` of a photo.

        Args:
            name: of the model.
            size: of its inputs, height and width in pixels.
            photo: HxWx3 uint8.

        Returns:
            Outputs by name: hxwx3 or hxw in 0..1, float64.
        """
        return dict(
            self._remember(
                "outputs", name, size, photo, lambda: self.outputs(name, size, self.feeds(name, size, photo))
            )
        )
