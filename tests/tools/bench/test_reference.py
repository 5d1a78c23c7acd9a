"""The times of the CRF reference: a large photo's peak memory is its own process's."""

import numpy as np

from portraiture.tools.bench.reference import bench_large


def test_a_small_photo_in_a_large_process_has_a_small_peak() -> None:
    held = np.ones(2**27)  # 1 GiB of the process that asks
    rgb = np.full((120, 90, 3), 128, np.uint8)
    mask = np.zeros((120, 90))
    mask[30:, 30:60] = 1
    for time in bench_large(rgb, mask, 1 - mask, 0.02):
        assert 0 < time.peak_gib < held.nbytes / 2**30
        assert time.seconds > 0
