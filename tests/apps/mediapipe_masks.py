"""Runs in MediaPipe's own environment: ``mediapipe_masks.py MODEL PHOTO -o OUT.npz``: labels, mask and categories."""

import argparse

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("photo")
parser.add_argument("-o", dest="out")
arguments = parser.parse_args()
options = vision.ImageSegmenterOptions(
    base_options=BaseOptions(model_asset_path=arguments.model), output_category_mask=True, output_confidence_masks=True
)
with vision.ImageSegmenter.create_from_options(options) as segmenter:
    found = segmenter.segment(mediapipe.Image.create_from_file(arguments.photo))
    np.savez(
        arguments.out,
        labels=segmenter.labels,
        masks=np.stack([np.squeeze(mask.numpy_view()) for mask in found.confidence_masks]),
        categories=np.squeeze(found.category_mask.numpy_view()),
    )
