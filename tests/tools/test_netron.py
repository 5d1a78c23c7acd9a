"""Netron, with which people look into model files, opens each kind of file that a bundle holds."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.model_file import file_path

SIZE = Size(128, 96)

QUIET = """
document.cookie = "consent=1";
const Now = Date;
Date = class extends Now { constructor(...given) { given.length ? super(...given) : super("2026-12-01"); } };
"""
"""Netron asks for consent before it shows anything, and half a year after its release it shows nothing at all."""

DRAWN = "document.body.classList.contains('default') && document.querySelectorAll('g.node').length > 5"


@contextlib.contextmanager
def served(path: Path) -> Iterator[str]:
    """The address at which Netron shows a file."""
    netron = pytest.importorskip("netron")
    address = netron.start(str(path), address=("127.0.0.1", 0), browse=False)
    try:
        yield "http://{}:{}/".format(*address)
    finally:
        netron.stop(address)


@pytest.mark.parametrize("target", BUILT_IN)
def test_netron_draws_the_graph(bundle: Path, page: Any, target: Target) -> None:
    for name, precision in itertools.product(("perception", "filter", "portrait"), (Precision.FP32, Precision.FP16)):
        path = bundle / file_path(name, target, precision, SIZE)
        if target is Target.COREML:  # a folder, which its server opens by the list in it
            path /= "Manifest.json"
        with served(path) as address:
            page.open(address, before=QUIET)
            page.until(f"({DRAWN}) || document.body.classList.contains('alert')")
            assert page.value(DRAWN), (path.name, page.value("document.body.innerText"))
