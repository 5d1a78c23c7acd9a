"""Results that are asked for again, kept up to a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

KEPT_BYTES = 1 << 30
"""Most bytes that are remembered: at 512x384 the inputs and outputs of some 100 photos, which all files share."""


class Memory:
    """Arrays by name of each key; beyond ``most_bytes`` the oldest are forgotten.

    Args:
        most_bytes: of all arrays together; the newest are kept, however large.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self.most_bytes = most_bytes
        self._recent: OrderedDict[Hashable, Mapping[str, Any]] = OrderedDict()

    def remember(self, key: Hashable, make: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """What ``make`` gave for a key; it is called where that was forgotten or never asked for."""
        if key not in self._recent:
            self._recent[key] = make()
            while len(self._recent) > 1 and sum(map(_bytes, self._recent.values())) > self.most_bytes:
                self._recent.popitem(last=False)
        self._recent.move_to_end(key)
        return self._recent[key]


def _bytes(arrays: Mapping[str, Any]) -> int:
    return sum(np.asarray(a).nbytes for a in arrays.values())
