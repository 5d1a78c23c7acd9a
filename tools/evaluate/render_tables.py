"""What ``evaluate render`` prints: the renderers on simulated scenes or on a camera's, as Markdown tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portraiture.reference.errors import OptionError
from portraiture.tools.evaluate.bokeh import evaluate_bokeh
from portraiture.tools.evaluate.render import evaluate_render, network_masks
from portraiture.tools.evaluate.table import markdown_table

_FIGURES = (("psnr_db", ".2f"), ("ssim", ".4f"), ("edge_psnr_db", ".2f"))


def scenes_table(
    dataset: str, root: Path | None, scenes: int, sheet: Path | None, weights: Sequence[str], which_text: str | None
) -> tuple[str, dict[str, Any]]:
    """The renderers on simulated scenes: the table, and what JSON gets.

    Args:
        dataset: ``simulated`` or ``simulated-photos``.
        root: folder of the photo datasets, of ``simulated-photos`` alone.
        scenes: how many.
        sheet: PNG of the first four scenes, or None.
        weights, which_text: of the network that gives the masks, of ``simulated-photos`` alone.

    Raises:
        OptionError: an option belongs to the other data set, or the root is missing.
    """
    if dataset == "simulated-photos" and root is None:
        raise OptionError(
            f"--root of {dataset}: expected the folder of shen2016, ccp, bsds500 and nyu, found none; add --root DIR"
        )
    if dataset != "simulated-photos" and weights:
        raise OptionError(f"--weights of {dataset}: expected none, its masks are true; drop it")
    if dataset != "simulated-photos" and root is not None:
        raise OptionError(f"--root of {dataset}: expected none, the scenes are procedural, found {root}; drop it")
    masks = None if root is None else network_masks([Path(w) for w in weights], which_text)
    scores = evaluate_render(scenes, sheet, root, masks)
    kind = "procedural scenes" if root is None else "scenes of real photos"
    titles = ["renderer", "PSNR dB", "SSIM", "PSNR dB within 10 px of the person's edge"]
    rows = [[name, *(f"{f[key]:{form}}" for key, form in _FIGURES)] for name, f in scores.items()]
    return f"{scenes} {kind}, paper setting\n\n{markdown_table(titles, rows)}", {"scenes": scenes, "scores": scores}


def bokeh_table(root: Path | None, limit: int | None) -> tuple[str, dict[str, Any]]:
    """The renderers against a camera's shots: the table, and what JSON gets.

    Args:
        root: folder of the scenes.
        limit: at most this many scenes, or None.

    Raises:
        OptionError: no root.
        InputError: as :func:`evaluate_bokeh`.
    """
    if root is None:
        raise OptionError("--root of bokeh: expected the folder of scenes, found none; add --root DIR")
    scores = evaluate_bokeh(root, limit)
    titles = ["shot, renderer", "scenes", "PSNR dB", "SSIM", "PSNR dB within 10 px of the focus' edge", "light"]
    rows = [
        [name, f"{f['scenes']:.0f}", *(f"{f[key]:{form}}" for key, form in _FIGURES), f"{f['light']:.3f}"]
        for name, f in scores.items()
    ]
    return markdown_table(titles, rows), {"scores": scores}
