"""The photos that a plan is searched on where a user gives none, or a few of their own."""

from collections.abc import Sequence

import numpy as np

from portraiture.export.sample_photo import sample_photo


def photos_for(own: Sequence[np.ndarray] = ()) -> list[np.ndarray]:
    """The sample photo, on which the gate judges files, and a user's own ones.

    Without them: the sample photo mirrored and nearer, and in little light.

    Args:
        own: HxWx3 uint8.
    """
    photo = sample_photo()
    height, width = photo.shape[:2]
    nearer = photo[: height * 3 // 5, width // 5 : width * 4 // 5]
    return [photo, *(own or (np.ascontiguousarray(nearer[:, ::-1]), photo // 3))]
