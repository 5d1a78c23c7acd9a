"""Runs the function of an ``.aimodel`` by Apple's runtime, whose calls are coroutines."""

import asyncio
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from portraiture.export.coreai.asset import check_program
from portraiture.export.coreai.packages import apple
from portraiture.export.coreai.program import FUNCTION
from portraiture.reference.errors import InputError


class Session:
    """An opened function; it is compiled here, into a temporary folder that lives as long as this.

    Apple's runtime waits in a thread of its own: a caller may have a loop of coroutines itself, as notebooks do.

    Args:
        path: the folder.

    Raises:
        InputError: it cannot be loaded, or Apple's packages are not installed.
    """

    def __init__(self, path: Path) -> None:
        check_program(path)
        self.path = path
        self._loop, self._open = asyncio.new_event_loop(), AsyncExitStack()
        self._thread = ThreadPoolExecutor(1, "coreai")
        weakref.finalize(self, _close, self._thread, self._loop, self._open)
        self._function = self._waited(self._loaded())
        described = self._function.desc
        self.inputs = {n: tuple(described.input_descriptor(n).shape) for n in described.input_names}
        self.outputs = {n: tuple(described.output_descriptor(n).shape) for n in described.output_names}

    def run(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs by name.

        Raises:
            InputError: the runtime refuses the inputs, or fails.
        """
        return dict(self._waited(self._ran(arrays)))

    async def _loaded(self) -> Any:
        from coreai.authoring import AIModelAsset

        model = await self._open.enter_async_context(AIModelAsset.load(self.path).executable())
        return model.load_function(FUNCTION)

    async def _ran(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        from coreai.runtime import NDArray

        found = await self._function({name: NDArray(np.ascontiguousarray(a)) for name, a in arrays.items()})
        return {name: np.array(value.numpy()) for name, value in found.items()}  # a copy: the runtime reuses its own

    def _waited(self, coroutine: Any) -> Any:
        """What a coroutine gives."""
        try:
            with apple():
                return self._thread.submit(self._loop.run_until_complete, coroutine).result()
        except InputError:
            coroutine.close()
            raise
        except Exception as error:  # Apple's errors have no common base
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise InputError(f"{self.path}: expected an .aimodel that runs ({reason}); export it again") from error


def _close(thread: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop, opened: AsyncExitStack) -> None:
    """Remove what was compiled, also when the interpreter ends, which leaves no work to an executor."""

    def end() -> None:
        loop.run_until_complete(opened.aclose())
        loop.close()

    thread.shutdown()
    last = Thread(target=end)
    last.start()
    last.join()
