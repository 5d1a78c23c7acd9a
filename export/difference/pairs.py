"""The models that two bundles have, and whether this release can run both."""

from dataclasses import dataclass
from pathlib import Path

from portraiture.export.bundle.any_release import AnyBundle, AnyModel
from portraiture.export.bundle.diff import differences, pairs_of
from portraiture.export.describe import describe
from portraiture.export.model_file import ModelFile


@dataclass(frozen=True)
class Pair:
    """A model that two bundles have.

    Attributes:
        name: in words.
        old_root, new_root: folders of the bundles.
        old, new: the model in each of them.
    """

    name: str
    old_root: Path
    new_root: Path
    old: AnyModel
    new: AnyModel

    @property
    def is_same(self) -> bool:
        """Whether both files hold the same bytes, so that they compute the same."""
        return self.old.content == self.new.content and self.old.entry.get("entry") == self.new.entry.get("entry")

    def why_not_run(self) -> str:
        """What keeps this release from running both on the same inputs; empty where nothing does."""
        for which, model in (("old", self.old), ("new", self.new)):
            if model.known is None:
                return f"this release does not know the {which} model"
            place = _other_interface(model)
            if place:
                return f"the {which} model's {place} is not this release's"
        return ""

    def sides(self) -> tuple[tuple[Path, ModelFile], tuple[Path, ModelFile]]:
        """Folder and file of the old and of the new one; only of a pair that this release can run."""
        assert self.old.known is not None
        assert self.new.known is not None
        return (self.old_root, self.old.known), (self.new_root, self.new.known)


_COMPUTED_WITH = ("name", "kind", "dtype", "layout", "range", "shape")
"""What of an input or output decides how a model is run; its meaning in words does not."""


def _other_interface(model: AnyModel) -> str:
    """The first place where a model takes or gives something else than in this release; empty where there is none."""
    assert model.known is not None
    here = describe(model.known.name, model.known.target, model.known.size)
    for direction in ("inputs", "outputs"):
        said = model.entry.get(direction) or []
        names = [[t.get("name") for t in side] for side in (said, here[direction])]
        if names[0] != names[1]:
            return direction
        for found, expected in zip(said, here[direction], strict=True):
            wanted = {k: expected[k] for k in _COMPUTED_WITH if k in found}
            for place, _, _ in differences({k: found[k] for k in wanted}, wanted, f"{direction}.{expected['name']}"):
                return place
    return ""


def pairs(old: AnyBundle, new: AnyBundle) -> list[Pair]:
    """The models that two bundles have."""
    return [Pair(name, old.root, new.root, a, b) for name, a, b in pairs_of(old, new)]
