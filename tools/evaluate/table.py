"""The Markdown table that every table of figures is printed as."""

from collections.abc import Sequence


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures and stand to the right.

    >>> print(markdown_table(["method", "photos"], [["coarse", "72"]]))
    | method | photos |
    | --- | ---: |
    | coarse | 72 |
    """
    rule = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rule, *rows))
