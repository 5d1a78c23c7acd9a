"""Find photos of one shot or sitting, within and across sets, and list them by group.

``python -m portraiture.tools.evaluate.near_duplicates --encoder MOBILENET.tflite --data NAME=DIR ... -o LIST.csv``
compares photos by the features of MobileNetV2, and the similar ones point by point. Run it when photos are added.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from portraiture.reference.photo.read import read_photo
from portraiture.tools.evaluate.program import exit_code
from portraiture.training.data.datasets import Split, list_samples, set_name, split_of
from portraiture.training.data.layouts import Sample
from portraiture.training.data.near_duplicates import (
    LEAST_SIMILARITY,
    LIST,
    Keypoints,
    are_near_duplicates,
    groups_of,
    keypoints,
    matches,
    similarities,
    write_list,
)
from portraiture.training.data.negatives import person_free_photos
from portraiture.training.models.mobilenet import MobileNetV2
from portraiture.training.models.mobilenet_weights import load_mobilenet_tflite

_SIDE_PX = 192


def features_of(encoder: MobileNetV2, rgb: np.ndarray) -> np.ndarray:
    """What a photo HxWx3 uint8 shows, (d,): means over the photo of the two coarsest feature maps."""
    small = cv2.resize(rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32) / 127.5 - 1
    with torch.no_grad():
        *_, fine, coarse = encoder(torch.from_numpy(small).permute(2, 0, 1)[None])
    return torch.cat([coarse.mean((2, 3)), fine.mean((2, 3))], 1)[0].numpy()


def find_groups(photos: Sequence[Path], encoder: MobileNetV2) -> list[list[int]]:
    """Numbers of the photos in each group of near-duplicates.

    Args:
        photos: files.
        encoder: trained on ImageNet, in evaluation mode.

    Raises:
        InputError: a photo cannot be read.
    """
    features = [features_of(encoder, read_photo(p)) for p in tqdm(photos, desc="features", unit="photo", disable=None)]
    cosines = similarities(np.array(features))
    points: dict[int, Keypoints] = {}

    def points_of(k: int) -> Keypoints:
        if k not in points:
            points[k] = keypoints(read_photo(photos[k]))
        return points[k]

    close = np.argwhere(np.triu(cosines, 1) > LEAST_SIMILARITY)
    found = [(a, b) for a, b in tqdm(close.tolist(), desc="pairs", unit="pair", disable=None)
             if are_near_duplicates(cosines[a, b], matches(points_of(a), points_of(b)))]  # fmt: skip
    return groups_of(len(photos), found)


def _samples(text: str) -> list[tuple[str, Sample, bool]]:
    """The photos of ``NAME=DIR``: the set's name, the sample, and whether it lies in the training part by its place."""
    dataset, _, folder = text.partition("=")
    root = Path(folder)
    found = person_free_photos(root) if dataset == "backgrounds" else list_samples(dataset, root)
    first = {s.id for s in split_of(found, Split.TRAIN, by_groups=False)}
    return [(set_name(dataset, root), s, s.id in first) for s in found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the list; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m portraiture.tools.evaluate.near_duplicates", description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="MobileNetV2 as .tflite.")
    parser.add_argument("--data", action="append", required=True, metavar="NAME=DIR",
                        help="A set: shen2016, ccp, nyu, folder, backgrounds; repeatable.")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, default=LIST, help="List to write. [default: the project's]")
    options = parser.parse_args(arguments)

    def find() -> None:
        encoder = MobileNetV2().eval()
        load_mobilenet_tflite(encoder, options.encoder)
        samples = [sample for text in options.data for sample in _samples(text)]
        groups = find_groups([s.photo for _, s, _ in samples], encoder)
        write_list([[(samples[k][0], samples[k][1].id, samples[k][2]) for k in group] for group in groups],
                   options.output)  # fmt: skip
        print(f"{options.output}: {len(groups)} groups of {sum(map(len, groups))} photos, of {len(samples)} compared")

    return exit_code("near_duplicates", find)


if __name__ == "__main__":
    sys.exit(main())
