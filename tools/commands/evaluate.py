"""``portraiture evaluate``: quality figures on a dataset, the same for every runtime."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from portraiture.tools.choices import runtime_options

if TYPE_CHECKING:
    import numpy as np

    from portraiture.export.pipeline import Pipeline
    from portraiture.tools.render_eval import Masks
    from portraiture.training.evaluate import Predict

SUBJECTS = ("segmentation", "depth", "filter", "render")
SCENES = 16
METHODS = ("network", "graph-cut")
DATASETS = ("shen2016", "ccp", "nyu", "diw", "folder", "simulated", "simulated-photos")


def _predictor(pipeline: "Pipeline", coarse: bool) -> "Predict":
    from portraiture.training.evaluate import PredictedMaps

    def predict(rgb: "np.ndarray") -> PredictedMaps:
        fine = pipeline.perceive(rgb)
        if not coarse:
            return PredictedMaps(fine.mask, fine.depth, None, None)
        first = pipeline.perceive(rgb, "coarse")
        return PredictedMaps(fine.mask, fine.depth, first.mask, first.depth)

    return predict


def _graph_cut_predictor(pipeline: "Pipeline") -> "Predict":
    """Boykov and Jolly's graph cut, seeded by the coarse mask, or by the selfie prior where that finds nobody."""
    from portraiture.reference.errors import InputError
    from portraiture.reference.graph_cut import seeds_from_mask, seeds_from_prior, segment
    from portraiture.training.evaluate import PredictedMaps

    def predict(rgb: "np.ndarray") -> PredictedMaps:
        coarse = pipeline.perceive(rgb, "coarse")
        try:
            seeds = seeds_from_mask(coarse.mask)
        except InputError:
            seeds = seeds_from_prior((rgb.shape[0], rgb.shape[1]))
        mask = segment(rgb / 255.0, *seeds).astype("float32")
        return PredictedMaps(mask, coarse.depth, coarse.mask, coarse.depth)

    return predict


def _filter_figures(dataset: str, root: Path, split: str, limit: int | None, pipeline: "Pipeline") -> dict[str, float]:
    """The RNN filter against the CRF reference on the same predicted maps, both at the model's size."""
    from collections.abc import Iterator

    import numpy as np
    from tqdm import tqdm

    from portraiture.reference.lens import APERTURE_PAPER
    from portraiture.reference.render import Mode, RenderSettings, render
    from portraiture.training.data.cache import read_rgb
    from portraiture.training.data.pairs import Split, list_samples
    from portraiture.training.evaluate import evaluate_filter

    samples = list_samples(dataset, root, Split(split))
    # spread over the set, not its first ids
    chosen = samples[:: max(1, len(samples) // limit)][:limit] if limit else samples

    def pictures() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for sample in tqdm(chosen, unit="photo", desc="filter"):
            maps = pipeline.perceive(read_rgb(sample.photo))
            mask, depth = (np.clip(np.asarray(m, np.float64), 0, 1) for m in (maps.model_mask, maps.model_depth))
            if not (mask >= 0.5).any():
                continue
            settings = RenderSettings(mode=Mode.FULL_BODY, aperture=APERTURE_PAPER)
            yield pipeline.filter(maps, APERTURE_PAPER), render(maps.model_rgb / 255, mask, depth, settings)

    return evaluate_filter(pictures())


def _network_masks() -> "Masks":
    """Refined and coarse mask by the shipped network."""
    from portraiture.tools.open_pipeline import open_pipeline

    pipeline = open_pipeline("torch", None, None)

    def masks(rgb: "np.ndarray") -> "tuple[np.ndarray, np.ndarray | None]":
        refined, coarse = (pipeline.perceive(rgb, model).mask.astype("float64") for model in ("perception", "coarse"))
        return refined, coarse

    return masks


def _print_render(dataset: str, root: Path | None, scenes: int, sheet: Path | None, json_file: Path | None) -> None:
    """The renderers on simulated scenes, as a Markdown table."""
    from portraiture.export.manifest import write_json
    from portraiture.reference.errors import OptionError
    from portraiture.tools.render_eval import evaluate_render

    if (dataset == "simulated-photos") != (root is not None):
        expected = "the folder of shen2016, ccp, bsds500 and nyu" if root is None else "none, the scenes are procedural"
        raise OptionError(f"--root of {dataset}: expected {expected}, found {root}")
    scores = evaluate_render(scenes, sheet, root, None if root is None else _network_masks())
    kind = "procedural scenes" if root is None else "scenes of real photos"
    click.echo(f"{scenes} {kind}, paper setting\n")
    click.echo("| renderer | PSNR dB | SSIM | PSNR dB within 10 px of the person's edge |\n| --- | --- | --- | --- |")
    for name, figures in scores.items():
        click.echo(f"| {name} | {figures['psnr_db']:.2f} | {figures['ssim']:.4f} | {figures['edge_psnr_db']:.2f} |")
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, {"subject": "render", "dataset": dataset, "scenes": scenes, "scores": scores})


@click.command("evaluate")
@click.argument("subject", type=click.Choice(SUBJECTS))
@click.option("--dataset", required=True, type=click.Choice(DATASETS), help="Layout of the folder.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Top folder of the dataset, of all datasets for simulated-photos; none for simulated.",
)
@click.option("--split", type=click.Choice(("train", "validation", "all")), default="validation", show_default=True,
              help="Validation is the last 15 % of the sorted ids.")  # fmt: skip
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=None,
    help="Use this many photos, spread over the split.",
)
@click.option("--scenes", type=click.IntRange(1), help=f"Scenes of evaluate render, {SCENES} unless told.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
@click.option("--method", type=click.Choice(METHODS), default="network", show_default=True, help="Of segmentation.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Contact sheet (PNG) of evaluate render.")
@runtime_options
def command(
    subject: str,
    dataset: str,
    root: Path | None,
    split: str,
    limit: int | None,
    scenes: int | None,
    json_file: Path | None,
    method: str,
    sheet: Path | None,
    runtime: str,
    bundle: Path | None,
    precision: str | None,
) -> None:
    """Print quality figures of masks, depth, the RNN filter (against the CRF) or the renderers (against a lens)."""
    from portraiture.export.manifest import write_json
    from portraiture.reference.errors import OptionError
    from portraiture.tools.open_pipeline import has_model, open_pipeline
    from portraiture.training.data.ordinal import read_diw
    from portraiture.training.data.pairs import Split, list_samples
    from portraiture.training.evaluate import evaluate_diw, evaluate_nyu, evaluate_segmentation

    allowed = {
        "segmentation": ("shen2016", "ccp", "folder"),
        "depth": ("nyu", "diw"),
        "filter": ("shen2016", "ccp", "folder"),
        "render": ("simulated", "simulated-photos"),
    }[subject]
    if dataset not in allowed:
        raise OptionError(f"evaluate {subject}: expected --dataset {' or '.join(allowed)}, found {dataset}")
    if method != "network" and subject != "segmentation":
        raise OptionError(f"--method {method}: expected evaluate segmentation with it, found {subject}")
    if subject == "render":
        _print_render(dataset, root, scenes or limit or SCENES, sheet, json_file)
        return
    if root is None:
        raise OptionError(f"--root: expected the top folder of {dataset}, found none")
    pipeline = open_pipeline(runtime, bundle, precision)
    predict = _predictor(pipeline, has_model(pipeline, "coarse"))
    if method == "graph-cut":
        predict = _graph_cut_predictor(pipeline)
    if subject == "filter":
        figures = _filter_figures(dataset, root, split, limit, pipeline)
    elif dataset == "diw":
        figures = evaluate_diw(read_diw(root / "DIW_test.csv")[:limit], predict)
    else:
        samples = list_samples(dataset, root, Split(split))
        chosen = samples[:: max(1, len(samples) // limit)][:limit] if limit else samples
        measure = evaluate_nyu if subject == "depth" else evaluate_segmentation
        figures = measure(chosen, predict)
    heading = {"subject": subject, "dataset": dataset, "split": split, "runtime": runtime, "method": method}
    for name, value in {**heading, **figures}.items():
        click.echo(f"{name:22} {value:.4f}" if isinstance(value, float) else f"{name:22} {value}")
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, {**heading, **figures})
