"""Builds the page once per version of the kit, in the user's cache folder."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from portraiture.export.kits.web_kit import kit_hash, write_kit
from portraiture.reference.files import cache_folder, new_folder
from portraiture.tools.demo.node import require_node, run_node


def page_folder() -> Path:
    """Where the built page of this version is or will be."""
    return cache_folder() / f"web-{kit_hash()}"


def built_page(report: Callable[[str], None]) -> Path:
    """The built page, a folder of static files without a bundle; a failed or killed build leaves nothing.

    Args:
        report: called with a line before the seconds that a build takes.

    Raises:
        InputError: Node or npm is absent, or the page cannot be built.
    """
    page = page_folder()
    if (page / "index.html").is_file():
        return page
    require_node()
    report(f"building the page, once, about half a minute: {page}")
    with new_folder(page) as out, tempfile.TemporaryDirectory(prefix="portraiture-web-") as place:
        kit = Path(place)
        write_kit(kit)
        install = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
        run_node(install, kit, "npm to install the page's packages")
        vite = [str(kit / "node_modules/.bin/vite"), "build", "--logLevel", "warn"]
        run_node(vite, kit, "Vite to build the page")
        shutil.copytree(kit / "dist", out, dirs_exist_ok=True)
    return page
