"""The Kotlin kit: a Maven build of ``portraiture-kotlin``, its runners and a sample.

The sources travel in the package. ``Contract.kt`` is written among them from the contract, and this package's version
into each ``pom.xml`` and the ``README.md``; what Maven builds is never among them.
"""

from pathlib import Path

from portraiture.export.contract import VERSION
from portraiture.export.formats import Precision
from portraiture.export.kits.sources import sources_of, write_files
from portraiture.export.kits.typescript import typed_numbers
from portraiture.export.runner import DEFAULT_THREADS

SOURCES = Path(__file__).with_name("kotlin")

CONTRACT_PLACE = "portraiture-kotlin/src/main/kotlin/portraiture/Contract.kt"

VERSIONED = ("pom.xml", "README.md")
"""Files that name the kit's version."""

_NOT_SOURCES = ("target",)

_HEADER = "// Written by portraiture from contract {version}. Do not edit: export again.\n"


def contract_kt() -> str:
    """The text of ``Contract.kt``: the contract's version, the precisions, and :func:`typed_numbers`."""
    lines = [f'const val contractVersion: String = "{VERSION}"', f"const val defaultThreads: Int = {DEFAULT_THREADS}"]
    lines += [f"const val {name}: {kind} = {value}" for name, kind, value in typed_numbers()]
    listed = ", ".join(f'"{precision.value}"' for precision in Precision)
    body = "\n".join(f"    {line}" for line in [*lines, f"val precisions: List<String> = listOf({listed})"])
    words = "/** The numbers of the contract's rules; `precisions` has the finest first. */\n"
    return f"{_HEADER.format(version=VERSION)}package portraiture\n\n{words}object Contract {{\n{body}\n}}\n"


def kit_files() -> dict[str, bytes]:
    """The content of each file of the kit by its place in the kit, ``Contract.kt`` of this version among them."""
    return sources_of(SOURCES, VERSIONED, _NOT_SOURCES) | {CONTRACT_PLACE: contract_kt().encode()}


def write_kit(folder: Path) -> None:
    """Write the kit's files into a folder; those of the same places are replaced."""
    write_files(folder, kit_files())
