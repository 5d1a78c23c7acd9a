"""The Swift kit: a package ``Portraiture`` for SwiftPM and Xcode, its runners and a sample.

The sources travel in the package. ``Contract.swift`` is written among them from the contract, and this package's
version into the ``README.md``; what SwiftPM builds is never among them.
"""

from pathlib import Path

from portraiture.export.contract import VERSION
from portraiture.export.formats import Precision
from portraiture.export.kits.sources import sources_of, write_files
from portraiture.export.kits.typescript import typed_numbers

SOURCES = Path(__file__).with_name("swift")

CONTRACT_PLACE = "Sources/Portraiture/Contract.swift"

VERSIONED = ("README.md",)
"""Files that name the kit's version."""

_NOT_SOURCES = ("Package.resolved",)

_HEADER = "// Written by portraiture from contract {version}. Do not edit: export again.\n"


def contract_swift() -> str:
    """The text of ``Contract.swift``: the contract's version, the precisions, and :func:`typed_numbers`."""
    lines = [f'contractVersion: String = "{VERSION}"']
    lines += [f"{name}: {kind} = {value}" for name, kind, value in typed_numbers()]
    listed = ", ".join(f'"{precision.value}"' for precision in Precision)
    lines.append(f"precisions: [String] = [{listed}]")
    body = "\n".join(f"    public static let {line}" for line in lines)
    words = "/// The numbers of the contract's rules; `precisions` has the finest first.\n"
    return f"{_HEADER.format(version=VERSION)}\n{words}public enum Contract {{\n{body}\n}}\n"


def kit_files() -> dict[str, bytes]:
    """The content of each file of the kit by its place in the kit, ``Contract.swift`` of this version among them."""
    return sources_of(SOURCES, VERSIONED, _NOT_SOURCES) | {CONTRACT_PLACE: contract_swift().encode()}


def write_kit(folder: Path) -> None:
    """Write the kit's files into a folder; those of the same places are replaced."""
    write_files(folder, kit_files())
