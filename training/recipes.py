"""Recipes: what a training run needs, by subject and name. Each states its run time and expected metric."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from portraiture.reference.errors import unknown
from portraiture.training.baseline_task import MaskTask
from portraiture.training.checkpoint import warm_start
from portraiture.training.filter_task import FilterData, FilterTask
from portraiture.training.loop import Schedule, Trainer
from portraiture.training.models.coarse import MobileCoarse
from portraiture.training.models.encoder_weights import load_mobilenet_tflite
from portraiture.training.models.fcn import Fcn, PfcnPlus
from portraiture.training.models.filters import FILTERS
from portraiture.training.models.perception import MobilePerception
from portraiture.training.models.spn import PaperSpn
from portraiture.training.models.vgg import load_vgg_features
from portraiture.training.people_and_rooms import PeopleAndRooms, PeopleData, Stage
from portraiture.training.perception_task import CoarseTask, PerceptionTask
from portraiture.training.spn_task import SpnKind, SpnTask

SUBJECTS = ("coarse", "segmentation", "depth", "perception", "filter")


@dataclass(frozen=True)
class PeopleRecipe:
    """Stages of photos, and rates.

    Attributes:
        sgd: the paper's optimizer (momentum 0.9), otherwise AdamW.
        freeze_norm_from: see :class:`Schedule`; None is the end of the first of several stages.
        depth_weight: of the rooms' depth beside the masks.
        judge_every: take every so many held-out photos for the figures while training.
        body_weight: of (3); 0 leaves it out.
        ways: of the propagation, 3 or 1.
        network: "" for the subject's own, or a baseline.
        frozen_blocks: of the encoder, with its stem, that keep their weights: the first have the largest maps.
    """

    stages: tuple[Stage, ...]
    rate: float = 2e-3
    encoder_rate: float = 3e-4
    weight_decay: float = 1e-4
    sgd: bool = False
    validate_every: int = 400
    freeze_norm_from: int | None = None
    ema_decay: float = 0.995
    bfloat16: bool = False
    depth_weight: float = 0.5
    judge_every: int = 1
    body_weight: float = 0.2
    ways: int = 3
    network: str = ""
    frozen_blocks: int = 0

    def schedule(self) -> Schedule:
        """What the training loop needs."""
        freeze = self.freeze_norm_from
        if freeze is None and len(self.stages) > 1:
            freeze = self.stages[0].until
        return Schedule(
            self.stages[-1].until,
            validate_every=self.validate_every,
            ema_decay=self.ema_decay,
            freeze_norm_from=freeze,
            bfloat16=self.bfloat16,
        )


@dataclass(frozen=True)
class FilterRecipe:
    """Random crops of rendered pairs, Adam.

    Attributes:
        model: name in ``FILTERS``.
        pairs, held_out, size: of pairs that are rendered for the run, where none are given.
        judged: at most so many held-out pairs are judged while training, evenly spaced.
    """

    model: str = "RnnFilter"
    steps: int = 2_000
    crop: int = 192
    batch: int = 8
    rate: float = 2e-3
    validate_every: int = 500
    pairs: int = 100
    held_out: int = 12
    judged: int = 24
    size: tuple[int, int] = (512, 384)


_SMOKE = (Stage(2, 64, 64, 2, 1), Stage(4, 96, 64, 2, 1))
_MOBILE = (Stage(1900, 256, 192, 12, 8),)
_FINE = (Stage(1500, 512, 384, 5, 3),)

PEOPLE_RECIPES: dict[tuple[str, str], PeopleRecipe] = {
    # 38 min on 2 cores, from --encoder or on from --init. On every third held-out photo at 256x192, from weights of an
    # hour before: Shen 0.967, CCP 0.948, WHDR 12.8 %
    ("perception", "mobile"): PeopleRecipe(
        _MOBILE,
        validate_every=380,
        freeze_norm_from=300,
        ema_decay=0.997,
        bfloat16=True,
        depth_weight=1.0,
        judge_every=3,
    ),
    # 46 min on 2 cores, --init the weights of "mobile". On all held-out photos: Shen 0.974, CCP 0.957, WHDR 11.9 %
    ("perception", "mobile-fine"): PeopleRecipe(
        _FINE,
        rate=1.2e-3,
        encoder_rate=2e-4,
        validate_every=300,
        freeze_norm_from=0,
        ema_decay=0.997,
        bfloat16=True,
        depth_weight=1.0,
        judge_every=3,
        frozen_blocks=3,
    ),
    # people as they come (--data folder=DIR, repeatable), from --init the shipped weights
    ("perception", "wild"): PeopleRecipe(
        (Stage(1600, 256, 192, 12, 2),),
        rate=1e-3,
        encoder_rate=4e-4,
        validate_every=200,
        freeze_norm_from=0,
        ema_decay=0.997,
        bfloat16=True,
        depth_weight=1.0,
        judge_every=3,
    ),
    # the coarse estimator alone: about 30 min on 2 cores
    ("coarse", "mobile"): PeopleRecipe(_MOBILE, freeze_norm_from=400, bfloat16=True, depth_weight=1.0),
    # the paper's optimizer and network; wants a GPU
    ("segmentation", "paper"): PeopleRecipe((Stage(20_000, 512, 384, 4, 0),), rate=1e-4, sgd=True),
    ("depth", "paper"): PeopleRecipe((Stage(20_000, 512, 384, 2, 2),), rate=1e-4, sgd=True),
    # a few steps at a small size, to see that everything is in place
    ("perception", "smoke"): PeopleRecipe(_SMOKE),
    ("coarse", "smoke"): PeopleRecipe(_SMOKE),
    ("segmentation", "smoke"): PeopleRecipe(_SMOKE, rate=1e-4, sgd=True),
    ("depth", "smoke"): PeopleRecipe(_SMOKE, rate=1e-4, sgd=True),
}
# Table 1 and the text's comparisons: equal data, batches, steps and rates; about 2 min each on 2 cores
_BASELINE = PeopleRecipe(
    (Stage(130, 256, 192, 12, 6),), validate_every=130, freeze_norm_from=65, bfloat16=True, depth_weight=1.0
)
PEOPLE_RECIPES |= {
    ("segmentation", "baseline-fcn"): replace(_BASELINE, network="fcn"),
    ("segmentation", "baseline-pfcn"): replace(_BASELINE, network="pfcn"),
    ("coarse", "baseline"): _BASELINE,
    ("perception", "baseline-one-way"): replace(_BASELINE, ways=1),
    ("perception", "baseline"): _BASELINE,
    ("perception", "baseline-without-3"): replace(_BASELINE, body_weight=0.0),
}
FILTER_RECIPES = {
    "mobile": FilterRecipe(),
    # the baselines of table 2: the same pairs, crops and steps
    "cnn": FilterRecipe("CnnFilter"),
    "liu": FilterRecipe("LiuFilter"),
    "xu": FilterRecipe("XuFilter", rate=1e-3),
    "smoke": FilterRecipe(steps=4, crop=64, batch=2, pairs=2, held_out=1, size=(96, 64)),
}


@dataclass(frozen=True)
class Sources:
    """Weight files a run starts from, None where not given; ids of the photos to draw more often."""

    encoder: Path | None = None
    vgg: Path | None = None
    perception: Path | None = None
    init: Path | None = None
    hard: frozenset[str] = frozenset()


def recipe_names(subject: str) -> list[str]:
    """Names of the recipes of a subject."""
    if subject == "filter":
        return list(FILTER_RECIPES)
    return [name for s, name in PEOPLE_RECIPES if s == subject]


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


def _paper(subject: str, photos: PeopleAndRooms, sources: Sources) -> tuple[nn.Module, Any, None]:
    from portraiture.training.weights import SHIPPED_PERCEPTION, load_perception

    coarse = load_perception(sources.perception or SHIPPED_PERCEPTION).coarse
    model = PaperSpn()
    if sources.vgg is not None:
        load_vgg_features(model.guidance, sources.vgg)
    return model, SpnTask(photos, coarse, SpnKind[subject.upper()]), None


def people_trainer(subject: str, name: str, data: PeopleData, run: Path, sources: Sources) -> Trainer[Any]:
    """The trainer of every subject but the filter.

    Raises:
        OptionError: an unknown recipe.
    """
    if (subject, name) not in PEOPLE_RECIPES:
        raise unknown(f"recipe of {subject}", name, recipe_names(subject))
    recipe = PEOPLE_RECIPES[subject, name]
    torch.manual_seed(0)
    photos = PeopleAndRooms(data, recipe.stages, recipe.judge_every, sources.hard)
    if subject in ("segmentation", "depth") and not recipe.network:
        model, task, encoder = _paper(subject, photos, sources)
    else:
        model, task, encoder = _mobile(subject, recipe, photos, sources.encoder)
    metadata: dict[str, object] = {"model": type(model).__name__, "recipe": repr(recipe)}
    metadata["size"] = [recipe.stages[-1].long_px, recipe.stages[-1].short_px]
    if recipe.ways != 3:
        metadata["ways"] = recipe.ways
    if sources.init is not None:
        new = warm_start(model, sources.init)
        metadata["init"] = f"{sources.init.name}, {len(new)} of {len(model.state_dict())} tensors new"
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Trainer(model, _optimizer(recipe, model, encoder), task, recipe.schedule(), run, metadata)


def filter_trainer(name: str, data: FilterData, run: Path, init: Path | None = None) -> Trainer[Any]:
    """The trainer of a filter on rendered pairs.

    Raises:
        OptionError: an unknown recipe.
    """
    if name not in FILTER_RECIPES:
        raise unknown("recipe of filter", name, FILTER_RECIPES)
    recipe = FILTER_RECIPES[name]
    torch.manual_seed(0)
    model = FILTERS[recipe.model]()
    metadata: dict[str, object] = {"model": recipe.model, "recipe": repr(recipe), "pairs": len(data.train)}
    if init is not None:
        new = warm_start(model, init)
        metadata["init"] = f"{init.name}, {len(new)} of {len(model.state_dict())} tensors new"
    step = max(1, len(data.validation) // recipe.judged)
    task = FilterTask(FilterData(data.train, data.validation[::step][: recipe.judged]), recipe.crop, recipe.batch)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.rate)
    schedule = Schedule(recipe.steps, warmup_steps=100, validate_every=recipe.validate_every, ema_decay=0.998)
    return Trainer(model, optimizer, task, schedule, run, metadata)
