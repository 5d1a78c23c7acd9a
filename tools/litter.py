"""What systems leave in a bundle's folder, said once."""

from pathlib import Path

from portraiture.export.bundle.checksums import litter_in
from portraiture.tools.progress import note


def note_litter(bundle: Path) -> None:
    """Say on stderr what systems left in a bundle's folder, which is passed over."""
    found = [p.relative_to(bundle).as_posix() for p in litter_in(bundle)] if bundle.is_dir() else []
    if found:
        note(f"{bundle}: passed over {', '.join(found)}: left by a system, no part of the bundle")
