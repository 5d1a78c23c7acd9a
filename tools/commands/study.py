"""``portraiture study``: which of two renderings people prefer, asked blindly."""

from pathlib import Path

import click


@click.command("study")
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option("--a", type=click.Path(path_type=Path), metavar="DIR", help="Pictures of one rendering.")
@click.option("--b", type=click.Path(path_type=Path), metavar="DIR", help="The other's, of the same names and sizes.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="New folder for the page; the key is laid beside it."
)
@click.option("--question", default="Which picture looks better?", show_default=True, help="Asked of each pair.")
@click.option("--long-side", type=click.IntRange(64), default=1600, show_default=True, metavar="PX",
              help="Larger pictures are shrunk to it.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of names, sides and order.")
@click.option("--tally", "counting", is_flag=True, help="Count RESULTS: the key and the files that people sent.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="With --tally: write the counts.")
def command(
    results: tuple[Path, ...], a: Path | None, b: Path | None, out: Path | None, question: str, long_side: int,
    seed: int, counting: bool, json_file: Path | None,
) -> None:  # fmt: skip
    """Ask people which of two renderings they prefer.

    With --a, --b and -o: write a page that shows each pair on random sides and saves the answers as a file. With
    --tally: count the answers, with Wilson's interval and the exact binomial test.
    """
    from portraiture.reference.errors import OptionError
    from portraiture.reference.files import write_json

    if counting:
        if a or b or out:
            raise OptionError("--tally: expected files of results alone, found --a, --b or -o with it; drop them")
        from portraiture.tools.study.tally import tally

        counted = tally(results)
        if json_file is not None:
            write_json(json_file, counted.to_json())
        click.echo("\n".join(counted.lines()))
        return
    if results or json_file or not (a and b and out):
        raise OptionError("study: expected --a DIR --b DIR -o DIR, or --tally and files; name all three")
    from portraiture.tools.study.page import find_pairs, write_study

    pairs = find_pairs(a, b)
    key_file, equal = write_study(pairs, out, question, long_side, seed)
    if pairs.alone:
        click.echo(f"left out, since one folder lacks them: {', '.join(pairs.alone)}")
    if equal:
        click.echo(f"left out, since both pictures are the same: {equal}")
    click.echo(f"{out}/index.html asks of {len(pairs.names) - equal} pairs; give people the folder {out}")
    click.echo(f"{key_file} tells which is which: keep it, and count with portraiture study --tally {key_file} FILE...")
