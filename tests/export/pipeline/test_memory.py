"""What was made once is not made again, and the oldest is forgotten first."""

import numpy as np

from portraiture.export.pipeline.memory import Memory


def test_the_oldest_is_forgotten_beyond_the_most_bytes() -> None:
    memory, made = Memory(most_bytes=250), []

    def ask(key: str, values: int = 100) -> int:
        def make() -> dict[str, np.ndarray]:
            made.append(key)
            return {"x": np.full(values, len(made), np.uint8)}

        return int(memory.remember(key, make)["x"][0])

    assert [ask("a"), ask("b"), ask("a"), ask("b")] == [1, 2, 1, 2]
    ask("a")
    ask("c")  # 300 bytes: b was asked for longest ago
    assert ask("a") == 1
    assert ask("b") == 4
    assert made == ["a", "b", "c", "b"]
    assert ask("large", 1000) == ask("large") == 5  # the newest is kept, however large
