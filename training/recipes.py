"""Recipes: what a training run needs, by subject and name, with run times and figures where they were measured."""

from dataclasses import dataclass, replace

from portraiture.training.run.schedule import Schedule
from portraiture.training.tasks.people_sets import Stage


@dataclass(frozen=True)
class PeopleRecipe:
    """How a network learns from people and rooms. Values without a figure beside them were chosen, not measured.

    Attributes:
        stages: sizes and batches, in order.
        rate: learning rate at its largest.
        encoder_rate: the same for the pretrained encoder.
        weight_decay: AdamW's weight decay.
        sgd: the paper's optimizer (momentum 0.9), otherwise AdamW.
        validate_every, ema_decay, bfloat16: see :class:`Schedule`.
        freeze_norm_from: see :class:`Schedule`; None is the end of the first of several stages.
        depth_weight: weight of the rooms' depth; the masks' is 1.
        judge_every: of the held-out photos, judge the first and every ``judge_every``-th after it while training.
        body_weight: weight of (3); 0 leaves it out.
        ways: 3 or 1, see :class:`MobilePerception` and :class:`PaperSpn`.
        network: "" for the subject's own, or a baseline: "fcn" or "pfcn".
        frozen_blocks: number of the encoder's first blocks that keep their weights, and its stem with them: they have
            the largest maps and cost the most time.
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
    """How a filter learns from random crops of rendered pairs, by Adam. Values were chosen, not measured.

    Attributes:
        model: name in ``FILTERS``.
        steps: optimizer steps.
        crop: side of the crops, in pixels.
        batch: crops per step.
        rate: learning rate at its largest.
        validate_every: steps between validations.
        pairs, held_out: how many pairs are rendered for training and for validation, where none are given.
        judged: at most this many held-out pairs are judged while training, evenly spread.
        size: height and width of the pairs that are rendered, in pixels.
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

_WILD = PeopleRecipe(
    (Stage(1300, 384, 288, 8, 1), Stage(2200, 512, 384, 5, 1)),
    rate=1e-3,
    encoder_rate=5e-4,
    validate_every=550,
    freeze_norm_from=0,
    ema_decay=0.998,
    bfloat16=True,
    depth_weight=1.0,
    judge_every=4,
    frozen_blocks=3,
)

# 130 steps take over half an hour of one core: it is judged on a few photos, often, so that a run can be resumed
_PAPER_SHORT = PeopleRecipe((Stage(40, 256, 192, 4, 0),), rate=1e-4, sgd=True, validate_every=10, judge_every=12)

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
    # people as they come (--data folder=DIR, repeatable), from --init. The encoder's first blocks, whose maps are the
    # largest, stay: a step costs half. 95 min on one core beside other work
    ("perception", "wild"): _WILD,
    # on from shipped weights: larger, at falling rates; ship the mean with the weights that it began with. 73 min on
    # one core beside other work
    ("perception", "wild-fine"): replace(
        _WILD,
        stages=(Stage(2000, 512, 384, 5, 1),),
        rate=7e-4,
        encoder_rate=3e-4,
        validate_every=250,
        ema_decay=0.996,
    ),
    # the coarse estimator on people as they come, at a third of the cost of all
    ("coarse", "wild"): replace(_WILD, stages=(Stage(4000, 256, 192, 16, 2),), encoder_rate=3e-4),
    # the coarse estimator alone: about 30 min on 2 cores; the SPNs' input
    ("coarse", "mobile"): PeopleRecipe(_MOBILE, freeze_norm_from=400, bfloat16=True, depth_weight=1.0),
    # the paper's optimizer and network; needs a GPU, and was not trained to its end
    ("segmentation", "paper"): PeopleRecipe((Stage(20_000, 512, 384, 4, 0),), rate=1e-4, sgd=True),
    # its beginning, by three ways and one: a step takes 25 s on one core, so that 40 are what a CPU can give
    ("segmentation", "paper-short"): _PAPER_SHORT,
    ("segmentation", "paper-short-one-way"): replace(_PAPER_SHORT, ways=1),
    ("depth", "paper"): PeopleRecipe((Stage(20_000, 512, 384, 2, 2),), rate=1e-4, sgd=True),
    # a few steps at a small size, in seconds, to see that everything is in place
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
    # 9 min on one core beside other work. On 24 held-out pairs of CCP and Shen at 512x384, 320 pairs: 43.1 dB
    "mobile": FilterRecipe(steps=1_200, rate=3e-4, validate_every=300),
    # the lens look, on pairs of portraiture pairs --compositing occlusion: it begins as the renderer's layers by rungs
    "lens": FilterRecipe("OcclusionFilter", steps=200, rate=1e-4, validate_every=100),
    # the baselines of table 2, 494 pairs. On 265 held-out photos at 500x300: 42.5, 35.5 and 34.5 dB
    "cnn": FilterRecipe("CnnFilter"),
    "liu": FilterRecipe("LiuFilter"),
    "xu": FilterRecipe("XuFilter", rate=1e-3),
    "smoke": FilterRecipe(steps=4, crop=64, batch=2, pairs=2, held_out=1, size=(96, 64)),
}


def recipe_names(subject: str) -> list[str]:
    """Names of the recipes of a subject."""
    if subject == "filter":
        return list(FILTER_RECIPES)
    return [name for s, name in PEOPLE_RECIPES if s == subject]
