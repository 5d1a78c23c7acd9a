"""The photo that goldens and the default parity run are made of."""

import numpy as np


def sample_photo() -> np.ndarray:
    """The astronaut, HxWx3 uint8."""
    import skimage.data

    return np.asarray(skimage.data.astronaut())
