"""What ``portraiture evaluate`` can judge: subjects, their data sets, and which options belong to which."""

from pathlib import Path

from portraiture.reference.errors import OptionError

METHODS = ("network", "graph-cut")

_PEOPLE = ("shen2016", "ccp", "baidu", "folder")

DATASETS_OF = {
    "segmentation": (*_PEOPLE, "bsds500"),
    "depth": ("nyu", "diw", *_PEOPLE),
    "ground": _PEOPLE,
    "crowd": _PEOPLE,
    "matte": _PEOPLE,
    "refine": _PEOPLE,
    "filter": (*_PEOPLE, "pairs"),
    "render": ("simulated", "simulated-photos", "bokeh"),
}


def check_options(
    subject: str,
    dataset: str,
    method: str,
    compare: bool,
    weights: tuple[str, ...],
    which: bool,
    runtime: str,
    worst: int | None,
    sheet: bool,
) -> None:
    """Refuse options that do not belong together.

    Args:
        subject, dataset, method: as given, each one of its choices.
        compare, which, sheet: whether the option is there.
        runtime: what runs the models.
        weights: ``NAME=FILE`` each with ``compare``, else a run or a file.
        worst: number of photos, 1 and more, or None.

    Raises:
        OptionError: two of them contradict each other.
    """
    if dataset not in DATASETS_OF[subject]:
        expected = " or ".join(DATASETS_OF[subject])
        raise OptionError(f"evaluate {subject}: expected --dataset {expected}, found {dataset}; name one of them")
    if method != "network" and (subject != "segmentation" or dataset == "bsds500"):
        what = f"{subject} --dataset {dataset}"
        raise OptionError(f"--method {method}: expected evaluate segmentation of people with it, found {what}; drop it")
    if compare and subject in ("render", "refine"):
        raise OptionError(
            f"--compare: expected another subject with it, found {subject}; drop it, both figures are there anyway"
        )
    if compare and method != "network":
        raise OptionError(f"--compare: expected no --method with it, found {method}; drop it, the table has that row")
    if which and not weights:
        raise OptionError("--which: expected --weights with it, found none; drop it")
    if weights and not compare and runtime != "torch":
        raise OptionError(
            f"--weights: expected --runtime torch with it, found {runtime}; drop it, a bundle holds its own"
        )
    if weights and method != "network":
        raise OptionError(f"--weights: expected no --method with it, found {method}; drop one")
    if weights and not compare and any("=" in w and not Path(w).exists() for w in weights):
        raise OptionError(f"--weights: expected RUN or FILE, or --compare with NAME=FILE, found {weights[0]}; add it")
    if worst is not None and (subject != "segmentation" or dataset == "bsds500" or compare):
        what = "--compare" if compare else f"{subject} --dataset {dataset}"
        raise OptionError(f"--worst: expected evaluate segmentation of people alone with it, found {what}; drop it")
    if sheet and subject != "render" and worst is None:
        raise OptionError(
            f"--sheet: expected evaluate render, or --worst N, with it, found {subject} alone; add --worst N"
        )
