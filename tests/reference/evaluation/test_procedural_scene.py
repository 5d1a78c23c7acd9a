"""The drawn scene is the one that the measured figures were made with: its layers' figures, written down once."""

import numpy as np
import pytest

from portraiture.reference.errors import InputError
from portraiture.reference.evaluation.procedural_scene import simple_scene

# of each layer: depth, mean and first moment along the columns of its cover, mean colour, deviation of its colours
LANDSCAPE = [
    (1.0, 1.0, 29.5, (0.265065, 0.135889, 0.159374), 0.113689),
    (0.9, 0.448619, 13.23425, (0.401437, 0.426264, 0.619902), 0.111712),
    (0.8375, 0.062529, 0.96227, (0.198015, 0.2757, 0.345036), 0.089651),
    (0.775, 0.390979, 11.53388, (0.632103, 0.629297, 0.157648), 0.234118),
    (0.7125, 0.077307, 4.29256, (0.533359, 0.510779, 0.551729), 0.137769),
    (0.65, 0.285589, 8.42486, (0.382977, 0.434048, 0.31023), 0.06493),
    (0.5875, 0.101149, 4.80301, (0.588979, 0.204118, 0.196504), 0.20052),
    (0.525, 0.149113, 4.39884, (0.327391, 0.540181, 0.312633), 0.113882),
    (0.3, 0.21528, 7.41288, (0.537476, 0.32945, 0.545053), 0.10478),
]
PORTRAIT = [
    (1.0, 1.0, 44.5, (0.276454, 0.133131, 0.207512), 0.111182),
    (0.9, 0.478908, 21.31143, (0.166772, 0.243968, 0.238436), 0.044704),
    (0.8375, 0.065444, 3.17809, (0.449584, 0.7158, 0.128271), 0.283695),
    (0.775, 0.418564, 18.6261, (0.310984, 0.183109, 0.276896), 0.064687),
    (0.7125, 0.035938, 2.78866, (0.362585, 0.316049, 0.38775), 0.094738),
    (0.65, 0.308229, 13.71619, (0.301319, 0.600394, 0.149779), 0.191848),
    (0.5875, 0.04352, 0.76447, (0.282556, 0.468544, 0.663647), 0.194759),
    (0.525, 0.16535, 7.35808, (0.472259, 0.142919, 0.674659), 0.228444),
    (0.3, 0.307284, 16.1901, (0.535083, 0.356532, 0.638458), 0.122958),
]


@pytest.mark.parametrize(("seed", "shape", "figures"), [(0, (40, 60), LANDSCAPE), (1, (130, 90), PORTRAIT)])
def test_a_seed_gives_the_scene_that_was_measured(seed, shape, figures):
    layers, person = simple_scene(seed, shape)
    assert (len(layers), person) == (len(figures), len(figures) - 1)
    columns = np.arange(shape[1])
    for layer, (depth, cover, moment, colour, deviation) in zip(layers, figures, strict=True):
        assert layer.depth == pytest.approx(depth)
        assert layer.alpha.mean() == pytest.approx(cover, abs=2e-6)
        assert (layer.alpha * columns).mean() == pytest.approx(moment, abs=2e-5)
        np.testing.assert_allclose(layer.rgb.mean(axis=(0, 1)), colour, atol=2e-6)
        assert layer.rgb.std() == pytest.approx(deviation, abs=2e-6)


def test_sixteen_pixels_are_the_least():
    assert simple_scene(0, (16, 16))[0][0].alpha.shape == (16, 16)
    for shape in ((15, 16), (16, 15), (1, 40)):
        with pytest.raises(InputError, match="expected 16x16 or more"):
            simple_scene(0, shape)
