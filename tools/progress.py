"""Progress of long work on stderr: a bar on a terminal, with what runs now and the time left; elsewhere none.

Every bar of the command line comes from here, and all of them are tqdm's; rich draws tables only.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from tqdm import tqdm

Item = TypeVar("Item")

Step = Callable[[str, int, int], None]
"""Called before each step: what runs now, how many steps are done, and of how many."""


def bar(total: int, unit: str, what: str = "", done: int = 0) -> "tqdm[NoReturn]":
    """A bar to be used as a context manager; ``update`` moves it, ``set_description`` says what runs now.

    Args:
        total: number of steps, 0 or more.
        unit: the word for one step, such as "photo".
        what: what runs now, the words before the bar.
        done: steps that an earlier run has done, 0..total; they do not count for the time left.
    """
    from tqdm import tqdm

    # None: no bar where stderr is no terminal
    return tqdm(total=total, initial=done, unit=unit, desc=what or None, disable=None, dynamic_ncols=True)


def over(items: Iterable[Item], total: int, unit: str, what: str) -> Iterator[Item]:
    """The items one after the other, with a bar that moves when one is done.

    Args:
        items: what is worked on.
        total: number of items.
        unit: the word for one item, such as "photo".
        what: the words before the bar.
    """
    with bar(total, unit, what) as steps:
        for item in items:
            yield item
            steps.update()


@contextmanager
def steps(verb: str = "") -> Iterator[Step]:
    """Gives what long work calls before each of its steps: a bar on a terminal, a line for each step elsewhere.

    Args:
        verb: the word before a step's name, such as "checking"; empty where the name says it.
    """
    shown = bar(0, "step")

    def report(what: str, done: int, total: int) -> None:
        line = f"{verb} {what}".strip()
        if shown.disable:
            click.echo(line, err=True)
            return
        if done == 0 or total != shown.total:  # another kind of step begins, with a time of its own
            shown.reset(total)
        shown.set_description(line, refresh=False)
        shown.update(done - shown.n)
        shown.refresh()

    with shown:
        yield report
        if not shown.disable and shown.total:
            shown.update(shown.total - shown.n)


def above_bars() -> AbstractContextManager[None]:
    """A block whose output on stdout or stderr stands above the bars."""
    from tqdm import tqdm

    shown: AbstractContextManager[None] = tqdm.external_write_mode()
    return shown


def note(line: str) -> None:
    """Write one line to stderr; a bar stays whole below it."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)
