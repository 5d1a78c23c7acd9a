"""Masks of MediaPipe's selfie segmenter, to compare ours with: ``evaluate segmentation --compare --weights NAME=DIR``.

MediaPipe's pins clash with ours, so this file runs in an environment of its own and imports nothing of ours::

    python3.11 -m venv mediapipe && mediapipe/bin/pip install mediapipe==0.10.14 'numpy<2'
    mediapipe/bin/python tools/evaluate/mediapipe_masks.py PHOTOS -o MASKS

0.10.14 is the last version known to carry the model's file. Its general model (256x256) is taken.
"""

import argparse
from pathlib import Path

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def write_masks(photos: Path, masks: Path) -> int:
    """Write STEM.png, 8 bits, of the photo's size, for every photo of a folder; returns their number."""
    import cv2
    import mediapipe  # type: ignore[import-not-found]
    import numpy as np

    masks.mkdir(parents=True, exist_ok=True)
    segmenter = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
    found = sorted(photo for photo in photos.iterdir() if photo.suffix.lower() in ENDINGS)
    for photo in found:
        bgr = cv2.imread(str(photo))
        if bgr is None:
            raise SystemExit(f"{photo}: expected a photo, found another content; take it out")
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        mask = segmenter.process(rgb).segmentation_mask
        cv2.imwrite(str(masks / f"{photo.stem}.png"), np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8))
    return len(found)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Masks of MediaPipe's selfie segmenter for a folder of photos.")
    parser.add_argument("photos", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    print(f"{options.output}: {write_masks(options.photos, options.output)} masks written")


if __name__ == "__main__":
    main()
