"""A photo's path through the exported models: photo -> mask, depth -> portrait, the same code for every runtime."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from portraiture.export.contract import Size
from portraiture.export.pipeline.bystanders import without_bystanders
from portraiture.export.pipeline.compose import compose_full_size
from portraiture.export.pipeline.maps import Frame, Maps, frame_of
from portraiture.export.pipeline.resize import mask_to_photo_size, nearest_size, to_model_size, to_photo_size
from portraiture.export.runner import Feeds, Runner
from portraiture.reference.arrays import largest_code
from portraiture.reference.lens.focus import FOCUS_ON_PERSON

OpenModel = Callable[[str, Size], Runner]


class Pipeline:
    """Opens models on demand and keeps them.

    Args:
        open_model: from a model's name and size to its runner.
        sizes: the sizes on offer.
        files: the models that there are, each by name and size; None where every model is there at every size, as
            in PyTorch.
        lacks: names of models that are not there all the same.
    """

    def __init__(
        self,
        open_model: OpenModel,
        sizes: Sequence[Size],
        files: Collection[tuple[str, Size]] | None = None,
        lacks: Collection[str] = (),
    ) -> None:
        self._open, self.sizes = open_model, tuple(sizes)
        self._lacks = frozenset(lacks)
        self._files = None if files is None else frozenset(files)
        self._runners: dict[tuple[str, Size], Runner] = {}

    def offers(self, name: str) -> bool:
        """Whether a model is there at every size. Nothing is opened: a damaged file is met when it is run."""
        return name not in self._lacks and (
            self._files is None or all((name, size) in self._files for size in self.sizes)
        )

    def runner(self, name: str, size: Size) -> Runner:
        """The runner of a model at a size."""
        key = (name, size)
        if key not in self._runners:
            self._runners[key] = self._open(name, size)
        return self._runners[key]

    def _seen(self, rgb: np.ndarray) -> tuple[Size, Frame, np.ndarray, np.ndarray]:
        """Of a photo HxWx3 uint8 the models' size, the frame, the framed photo, and that at the models' size."""
        size = nearest_size(rgb.shape[0], rgb.shape[1], self.sizes)
        frame = frame_of(rgb.shape[0], rgb.shape[1], size)
        framed = frame.mirror(rgb)
        return size, frame, framed, to_model_size(framed, size)

    def perceive(self, rgb: np.ndarray, model: str = "perception") -> Maps:
        """Mask and depth of a photo HxWx3 uint8; ``model`` may be ``coarse``."""
        size, frame, framed, small = self._seen(rgb)
        out = self.runner(model, size).run({"rgb": small / np.float32(255)})
        if model == "coarse":  # as the network sees it, before anything refines it
            mask = to_photo_size(out["mask"], frame.size.height, frame.size.width)
            return _maps(frame, small, size, mask, out["mask"], out["depth"])
        own, depth = without_bystanders(out["mask"], out["depth"])
        return _maps(frame, small, size, mask_to_photo_size(own, small, framed), own, depth)

    def refine(self, rgb: np.ndarray, coarse_mask: np.ndarray) -> np.ndarray:
        """An app's own mask, made sharp along the photo by the model ``segmentation_spn``.

        Args:
            rgb: photo HxWx3 uint8.
            coarse_mask: HxW in 0..1.

        Returns:
            HxW float32 in 0..1.
        """
        size, frame, framed, small = self._seen(rgb)
        given = to_model_size(frame.mirror(coarse_mask.astype(np.float32)), size)
        out = self.runner("segmentation_spn", size).run({"rgb": small / np.float32(255), "coarse_mask": given})
        return np.clip(frame.keep(mask_to_photo_size(out["mask"], small, framed)), 0, 1)

    def render_fused(self, rgb: np.ndarray, aperture: float, focus: float = FOCUS_ON_PERSON) -> np.ndarray:
        """The portrait at the photo's size by the model ``portrait`` alone, as :meth:`render` where nobody passes by.

        Args:
            rgb: photo HxWx3 uint8.
            aperture: largest disk radius as a share of the diagonal, 0..0.04.
            focus: depth that stays sharp, 0..1; ``FOCUS_ON_PERSON`` for the person's.
        """
        size, frame, framed, small = self._seen(rgb)
        feeds: Feeds = {"rgb": small / np.float32(255), "aperture": frame.aperture(aperture), "focus": focus}
        out = self.runner("portrait", size).run(feeds)
        mask = mask_to_photo_size(out["mask"], small, framed)
        maps = _maps(frame, small, size, mask, out["mask"], out["depth"])
        return compose_full_size(rgb, maps, out["portrait"], aperture, focus)

    def filter(self, maps: Maps, aperture: float, focus: float = FOCUS_ON_PERSON) -> np.ndarray:
        """The RNN filter's picture at working size.

        Args:
            maps: of the photo.
            aperture: largest disk radius as a share of the diagonal, 0..0.04.
            focus: depth that stays sharp, 0..1; ``FOCUS_ON_PERSON`` for the person's.

        Returns:
            hxwx3 in 0..1.
        """
        feeds: Feeds = {
            "rgb": maps.model_rgb / np.float32(largest_code(maps.model_rgb)),
            "mask": maps.model_mask,
            "depth": maps.model_depth,
            "aperture": maps.frame.aperture(aperture),
            "focus": focus,
        }
        return self.runner("filter", maps.size).run(feeds)["portrait"]

    def render(self, rgb: np.ndarray, maps: Maps, aperture: float, focus: float = FOCUS_ON_PERSON) -> np.ndarray:
        """The portrait at the photo's size.

        Args:
            rgb: photo HxWx3 uint8 or uint16, in sRGB; in another RGB, which the portrait then is in too, with maps that
                :func:`with_own_pixels` made.
            maps: of that photo.
            aperture: largest disk radius as a share of the diagonal, 0..0.04.
            focus: depth that stays sharp, 0..1; ``FOCUS_ON_PERSON`` for the person's.

        Returns:
            HxWx3 float32 in 0..1, not rounded.
        """
        small = self.filter(maps, aperture, focus)
        return compose_full_size(rgb, maps, small, aperture, focus)


def with_own_pixels(maps: Maps, own: np.ndarray) -> Maps:
    """The maps of a photo, to render its own pixels HxWx3 uint8 or uint16 in place of the sRGB that the model saw."""
    return replace(maps, model_rgb=to_model_size(maps.frame.mirror(own), maps.size))


def _maps(
    frame: Frame, small: np.ndarray, size: Size, mask: np.ndarray, model_mask: np.ndarray, model_depth: np.ndarray
) -> Maps:
    """A model's maps at both sizes; ``mask`` has the frame's."""
    depth = to_photo_size(model_depth, frame.size.height, frame.size.width)
    own_mask, own_depth = (np.clip(frame.keep(full), 0, 1) for full in (mask, depth))
    return Maps(own_mask, own_depth, small, model_mask, model_depth, size)
