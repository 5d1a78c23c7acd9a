"""``portraiture demo``: a bundle as a page in the browser."""

from pathlib import Path

import click

FIRST_PORT = 8765
"""Where nothing is asked for and it is free, so that an address that was noted works again. Chosen."""


@click.command("demo")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--build", "output", type=click.Path(path_type=Path), metavar="DIR",
              help="Write the page as static files, for any web server, instead of serving it.")  # fmt: skip
@click.option("--precision", metavar="fp32|fp16|int8|int8-static",
              help="Of the models. [default: fp16, or the finest that BUNDLE has]")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), help=f"To serve on; 0 for any free one. [default: {FIRST_PORT}]")
def command(bundle: Path, output: Path | None, precision: str | None, port: int | None) -> None:
    """Show BUNDLE as a page in the browser: a photo in, its portrait out; nothing leaves the browser.

    It needs tflite models of perception and filter, and, once, Node and npm. Ctrl-C ends it.
    """
    from portraiture.export.bundle.open import open_bundle
    from portraiture.export.formats import Precision
    from portraiture.reference.errors import OptionError
    from portraiture.tools.choices import parse_one
    from portraiture.tools.demo.build import built_page
    from portraiture.tools.demo.serve import server
    from portraiture.tools.demo.site import page_files, refuse_others, site_of, write_site
    from portraiture.tools.litter import note_litter
    from portraiture.tools.progress import note

    if output is not None and port is not None:
        raise OptionError("--port: expected without --build, found both; drop one")
    chosen = parse_one("--precision", precision, Precision) if precision else None
    note_litter(bundle)
    opened = open_bundle(bundle)
    page_files(opened, chosen)  # refused before a build
    if output is not None:
        refuse_others(output)
    site = site_of(built_page(note), opened, chosen)
    if output is not None:
        write_site(site, output)
        click.echo(f"{output}: {len(site)} files; serve this folder by any web server, over https")
        return
    with server(site, port, FIRST_PORT) as (listening, address):
        click.echo(f"{address}  (Ctrl-C ends it)")
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended", err=True)
