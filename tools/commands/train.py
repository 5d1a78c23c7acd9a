"""``portraiture train``: every network, from the datasets' own folders."""

from pathlib import Path

import click

SUBJECTS = ("coarse", "segmentation", "depth", "perception", "filter")
DATASETS = ("shen2016", "ccp", "nyu", "backgrounds")


def _folders(pairs: tuple[str, ...], required: tuple[str, ...]) -> dict[str, Path]:
    """``NAME=DIR`` options -> folders by name."""
    from portraiture.reference.errors import InputError, OptionError, unknown

    folders = {}
    for pair in pairs:
        name, sign, folder = pair.partition("=")
        if not sign or not folder:
            raise OptionError(f"--data: expected NAME=DIR, found {pair!r}; names are {', '.join(DATASETS)}")
        if name not in DATASETS:
            raise unknown("--data name", name, DATASETS)
        if not Path(folder).is_dir():
            raise InputError(f"--data {name}: expected a folder, found none at {folder}")
        folders[name] = Path(folder)
    missing = [n for n in required if n not in folders]
    if missing:
        raise OptionError(f"--data: expected {', '.join(f'{n}=DIR' for n in missing)} as well")
    return folders


def _render_pairs(
    recipe_name: str, folders: dict[str, Path], run: Path, perception: Path | None
) -> tuple[list[Path], list[Path]]:
    """Pairs for the filter: as many selfies as full bodies, the validation ids for validation."""
    import numpy as np
    import torch

    from portraiture.training.data.pairs import Sample, Split, list_samples
    from portraiture.training.data.rendered import write_pairs
    from portraiture.training.recipes import FILTER_RECIPES
    from portraiture.training.weights import SHIPPED_PERCEPTION, load_perception

    recipe = FILTER_RECIPES[recipe_name]
    network = load_perception(perception or SHIPPED_PERCEPTION)

    def predict(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            maps = network(torch.from_numpy(rgb.astype(np.float32) / 255).permute(2, 0, 1)[None])
        return maps.mask[0, 0].numpy(), maps.depth[0, 0].numpy()

    def spread(split: Split, count: int) -> list[Sample]:
        sets = [list_samples(name, folders[name], split) for name in ("shen2016", "ccp")]
        half = max(1, count // 2)
        picked = [samples[:: max(1, len(samples) // half)][:half] for samples in sets]
        return [sample for pair in zip(*picked, strict=False) for sample in pair]

    validation = write_pairs(spread(Split.VALIDATION, recipe.held_out), predict, recipe.size, run / "pairs/validation")
    train = write_pairs(spread(Split.TRAIN, recipe.pairs), predict, recipe.size, run / "pairs/train")
    return train, validation


@click.command("train")
@click.argument("subject", type=click.Choice(SUBJECTS))
@click.option("--recipe", required=True, help="Recipe name: mobile, mobile-fine, paper, smoke (training/recipes.py).")
@click.option("--data", "data", multiple=True, metavar="NAME=DIR",
              help="Dataset folder, repeatable: shen2016, ccp, nyu, backgrounds (optional).")  # fmt: skip
@click.option("-o", "--output", "run", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--resume", is_flag=True, help="Go on from the run folder's last checkpoint.")
@click.option("--encoder", type=click.Path(path_type=Path), help="MobileNetV2 .tflite to initialise the encoder from.")
@click.option("--vgg", type=click.Path(path_type=Path), help="VGG-16 weights (torchvision names, safetensors).")
@click.option("--perception", type=click.Path(path_type=Path), help="Perception weights that coarse maps come from.")
@click.option("--init", type=click.Path(path_type=Path), help="Weights to start from; tensors they lack begin anew.")
def command(
    subject: str,
    recipe: str,
    data: tuple[str, ...],
    run: Path,
    resume: bool,
    encoder: Path | None,
    vgg: Path | None,
    perception: Path | None,
    init: Path | None,
) -> None:
    """Train SUBJECT by a recipe. RUN gets log.jsonl, state.safetensors and weights.safetensors."""
    from portraiture.reference.errors import OptionError, unknown
    from portraiture.training.filter_task import FilterData
    from portraiture.training.people_and_rooms import PeopleData
    from portraiture.training.recipes import Sources, filter_trainer, people_trainer, recipe_names

    if recipe not in recipe_names(subject):
        raise unknown(f"recipe of {subject}", recipe, recipe_names(subject))
    if (run / "state.safetensors").exists() and not resume:
        raise OptionError(f"{run}: expected a new run folder, found a run; add --resume or choose another")
    if subject == "filter":
        folders = _folders(data, ("shen2016", "ccp"))
        train, validation = _render_pairs(recipe, folders, run, perception)
        trainer = filter_trainer(recipe, FilterData(train, validation), run)
    else:
        folders = _folders(data, ("shen2016", "ccp", "nyu"))
        people = PeopleData(
            folders["shen2016"], folders["ccp"], folders["nyu"], folders.get("backgrounds"), run / "cache"
        )
        trainer = people_trainer(subject, recipe, people, run, Sources(encoder, vgg, perception, init))
        if "init" in trainer.metadata:
            click.echo(f"init: {trainer.metadata['init']}")
    if resume:
        trainer.resume()
    for name, value in trainer.fit().items():
        click.echo(f"{name:24} {value:.4f}")
    click.echo(f"weights: {run / 'weights.safetensors'}")
