"""Which depth is sharp, and how large a blur every other depth gets."""

LEARNT_APERTURE = 0.04
"""The largest aperture of the RNN filter, as a share of the diagonal: it is trained up to here, and its contract and
its command take no more. 2.5 times the paper's; chosen, not measured."""
