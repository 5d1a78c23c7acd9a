"""Files that several models share: one TFLite signature, or one Core ML function (iOS 18), per model and size.

They are merged from the single files, whose operations and weights they keep; a constant that several models have is
kept once. An entry is named after its model and size, as ``perception_512x384``.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from portraiture.export.contract import Size
from portraiture.export.formats import Packaging, Precision, Target
from portraiture.export.model_file import bytes_of, entry_name, shared_path
from portraiture.export.targets import FORMATS


def package(root: Path, entries: Sequence[dict[str, Any]], packaging: Packaging) -> list[dict[str, Any]]:
    """Bring single files into the form asked for.

    Args:
        root: the bundle.
        entries: of the manifest, one per single file.
        packaging: ONNX files, which have one graph, stay single.

    Returns:
        The entries of what the bundle now holds.
    """
    if packaging is Packaging.SINGLE:
        return list(entries)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in entries:
        if FORMATS[Target(entry["target"])].merge is not None:
            groups.setdefault((entry["target"], entry["precision"]), []).append(entry)
    shared, merged = [], []
    for (text, precision), group in groups.items():
        target = Target(text)
        path = shared_path(target, Precision(precision))
        names = {entry_name(entry["name"], Size.parse(entry["size"])): entry for entry in group}
        merge = FORMATS[target].merge
        assert merge is not None
        merge({name: root / entry["path"] for name, entry in names.items()}, root / path)
        FORMATS[target].describe(root / path, [(entry["name"], Size.parse(entry["size"])) for entry in group])
        size, needs = bytes_of(root / path), FORMATS[target].needs(root / path)
        shared += [{**e, "path": path, "entry": name, "bytes": size, "needs": needs} for name, e in names.items()]
        merged += group
    if packaging is Packaging.BOTH:
        return [*entries, *shared]
    for entry in merged:
        single = root / entry["path"]
        shutil.rmtree(single) if single.is_dir() else single.unlink()
    return [*(e for e in entries if e not in merged), *shared]
