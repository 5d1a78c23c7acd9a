"""From a recipe to a trainer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from portraiture.reference.errors import OptionError, unknown
from portraiture.reference.photo.folder import spread
from portraiture.training.checkpoints.fill import warm_start
from portraiture.training.checkpoints.read import read_checkpoint, weights_file
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.filters.occlusion import OcclusionFilter
from portraiture.training.models.filters.table import FILTERS
from portraiture.training.models.mobilenet_weights import load_mobilenet_tflite
from portraiture.training.models.perception import MobilePerception
from portraiture.training.models.spn import PaperSpn
from portraiture.training.models.vgg import load_vgg_features
from portraiture.training.recipes import FILTER_RECIPES, PEOPLE_RECIPES, PeopleRecipe, recipe_names
from portraiture.training.run.schedule import Schedule
from portraiture.training.run.trainer import Trainer
from portraiture.training.tasks.filter import FilterData, FilterTask
from portraiture.training.tasks.mask import MaskTask
from portraiture.training.tasks.people_and_rooms import PeopleAndRooms
from portraiture.training.tasks.people_sets import PeopleData
from portraiture.training.tasks.perception import CoarseTask, PerceptionTask
from portraiture.training.tasks.spn import SpnKind, SpnTask
from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_LENS, SHIPPED_PERCEPTION, load_perception


@dataclass(frozen=True)
class Sources:
    """What a run starts from.

    Attributes:
        encoder: MobileNetV2 as ``.tflite``, for the encoder; None leaves it random.
        vgg: torchvision's VGG-16 as safetensors, for the paper's guidance; None leaves it random.
        perception: weights whose coarse maps the paper's SPN refines, a file or a run; None takes the shipped ones.
        init: weights of any network that shares tensors with this one, a file or a run; None begins anew.
        hard: ids of photos that are drawn more often.
        left_out: ids of people's photos that are never drawn.
    """

    encoder: Path | None = None
    vgg: Path | None = None
    perception: Path | None = None
    init: Path | None = None
    hard: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()


def _optimizer(recipe: PeopleRecipe, model: nn.Module, encoder: nn.Module | None) -> torch.optim.Optimizer:
    if recipe.sgd:
        return torch.optim.SGD(model.parameters(), lr=recipe.rate, momentum=0.9)
    own = {id(p) for p in encoder.parameters()} if encoder is not None else set()
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if id(p) in own], "lr": recipe.encoder_rate},
        {"params": [p for p in trained if id(p) not in own], "lr": recipe.rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)


def _mobile(
    subject: str, recipe: PeopleRecipe, photos: PeopleAndRooms, encoder: Path | None
) -> tuple[nn.Module, Any, nn.Module]:
    """Model, task, and the part that is trained at the encoder's rate."""
    model: MobilePerception | MobileCoarse | Fcn
    if recipe.network:
        model = PfcnPlus() if recipe.network == "pfcn" else Fcn()
        if isinstance(model, PfcnPlus):
            model.set_shape(photos.mean_mask())
        task: Any = MaskTask(photos)
    elif subject == "perception":
        model = MobilePerception(ways=recipe.ways)
        task = PerceptionTask(photos, recipe.depth_weight, recipe.body_weight)
    else:
        model = MobileCoarse()
        task = CoarseTask(photos, recipe.depth_weight)
    part = model.coarse.encoder if isinstance(model, MobilePerception) else model.encoder
    if encoder is not None:
        load_mobilenet_tflite(part, encoder)
    if recipe.frozen_blocks:
        for kept in (part.stem, *part.blocks[: recipe.frozen_blocks]):
            kept.requires_grad_(False)
    return model, task, part


def _paper(subject: str, recipe: PeopleRecipe, photos: PeopleAndRooms, sources: Sources) -> tuple[nn.Module, Any, None]:
    coarse = load_perception(weights_file(sources.perception or SHIPPED_PERCEPTION)).coarse
    model = PaperSpn(ways=recipe.ways)
    if sources.vgg is not None:
        load_vgg_features(model.guidance, sources.vgg)
    return model, SpnTask(photos, coarse, SpnKind[subject.upper()]), None


SHIPPED = "shipped"
"""Stands for the weights that are shipped, as what a run starts from."""


def _warm_started(model: nn.Module, init: Path, shipped: Path) -> str:
    """Fill what fits of a checkpoint, of a run or of the shipped weights; says how much is new."""
    found = shipped if str(init) == SHIPPED and not init.exists() else weights_file(init)
    new = warm_start(model, read_checkpoint(found))
    return f"{init.name}, {len(new)} of {len(model.state_dict())} tensors new"


def _require(subject: str, photos: PeopleAndRooms) -> None:
    """Refuse sets of which a subject cannot learn.

    Raises:
        OptionError: no masks for segmentation, or no depth for depth.
    """
    if subject == "segmentation" and not photos.has_people:
        raise OptionError("--data: expected people with masks, found none; add one of shen2016, ccp and folder")
    if subject == "depth" and not photos.has_depths:
        raise OptionError("--data: expected photos with depth, found none; add nyu, or a folder with depths/")


def _lacking(subject: str, photos: PeopleAndRooms, has_init: bool) -> str:
    """What the sets do not teach, in words; "" where nothing is lacking."""
    if subject not in ("coarse", "perception") or (photos.has_people and photos.has_depths):
        return ""
    kept = "it changes from --init with the rest" if has_init else "it begins from nothing"
    if photos.has_depths:
        return f"no people with masks: at most rooms of nobody teach the mask, and {kept}"
    taught = "the people's masks and feet alone teach it" if subject == "perception" else "nothing teaches it"
    return f"no photos with depth: {taught}, and {kept}"


def people_trainer(subject: str, name: str, data: PeopleData, run: Path, sources: Sources) -> Trainer[Any]:
    """The trainer of every subject but the filter.

    Args:
        subject: "coarse", "segmentation", "depth" or "perception".
        name: the recipe's name.
        data: where the sets are.
        run: the run folder.
        sources: weights to start from.

    Raises:
        OptionError: an unknown recipe.
    """
    if (subject, name) not in PEOPLE_RECIPES:
        raise unknown(f"recipe of {subject}", name, recipe_names(subject))
    recipe = PEOPLE_RECIPES[subject, name]
    torch.manual_seed(0)
    photos = PeopleAndRooms(data, recipe.stages, recipe.judge_every, sources.hard, sources.left_out)
    _require(subject, photos)
    if subject in ("segmentation", "depth") and not recipe.network:
        model, task, encoder = _paper(subject, recipe, photos, sources)
    else:
        model, task, encoder = _mobile(subject, recipe, photos, sources.encoder)
    metadata: dict[str, object] = {"model": type(model).__name__, "subject": subject, "recipe": repr(recipe)}
    if lacking := _lacking(subject, photos, sources.init is not None):
        metadata["lacking"] = lacking
    if photos.sets.of_one_sitting:
        metadata["one sitting"] = (
            f"{', '.join(photos.sets.of_one_sitting)}: all photos are near-duplicates; the last 15 % are held out"
            " all the same, and their figures flatter"
        )
    metadata["size"] = [recipe.stages[-1].long_px, recipe.stages[-1].short_px]
    if recipe.ways != 3:
        metadata["ways"] = recipe.ways
    if sources.init is not None:
        metadata["init"] = _warm_started(model, sources.init, SHIPPED_PERCEPTION)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    trainer = Trainer(model, _optimizer(recipe, model, encoder), task, recipe.schedule(), run, metadata)
    trainer.data = photos.sets.digests
    return trainer


def filter_trainer(name: str, data: FilterData, run: Path, init: Path | None = None) -> Trainer[Any]:
    """The trainer of a filter on rendered pairs.

    Args:
        name: the recipe's name.
        data: pairs to train on, and held-out ones.
        run: the run folder.
        init: weights to start from, a file or a run; None begins anew.

    Raises:
        OptionError: an unknown recipe.
    """
    if name not in FILTER_RECIPES:
        raise unknown("recipe of filter", name, FILTER_RECIPES)
    recipe = FILTER_RECIPES[name]
    torch.manual_seed(0)
    model = FILTERS[recipe.model]()
    both_sides = model if isinstance(model, OcclusionFilter) else None
    metadata: dict[str, object] = {"model": recipe.model, "recipe": repr(recipe), "pairs": len(data.train)}
    if init is not None:
        metadata["init"] = _warm_started(model, init, SHIPPED_LENS if both_sides else SHIPPED_FILTER)
    judged = FilterData(data.train, spread(data.validation, recipe.judged))
    task = FilterTask(judged, recipe.crop, recipe.batch, both_sides=both_sides)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.rate)
    schedule = Schedule(recipe.steps, warmup_steps=100, validate_every=recipe.validate_every, ema_decay=0.998)
    trainer = Trainer(model, optimizer, task, schedule, run, metadata)
    trainer.data = data.digests
    return trainer
