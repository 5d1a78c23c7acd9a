"""Run by ``.ci/run`` from outside the checkout: every module of the installed wheel imports from the wheel itself."""

import importlib
import pkgutil
import sys
from pathlib import Path

ELSEWHERE = {"portraiture.export.onnx_tf.worker"}
"""Run by the Python of onnx-tf's own environment, not imported by ours."""

KOTLIN_KIT = (
    "README.md",
    "pom.xml",
    "portraiture-kotlin/src/main/kotlin/portraiture/Portraiture.kt",
    "portraiture-android/src/main/AndroidManifest.xml",
    "portraiture-android/src/test/resources/robolectric.properties",
)
"""One file of each ending and depth."""

SWIFT_KIT = ("README.md", "Package.swift", "Sources/Portraiture/Photo.swift", "Sources/Portraiture/Rules/Compose.swift")
"""One file of each ending and depth."""


def main(site: Path) -> None:
    """Import all modules below ``site/portraiture`` and check the shipped weights are there."""
    modules = [
        m.name for m in pkgutil.walk_packages([str(site / "portraiture")], "portraiture.") if "__main__" not in m.name
    ]
    for package in ("reference", "training", "export", "tools"):
        modules += [
            m.name for m in pkgutil.walk_packages([str(site / "portraiture" / package)], f"portraiture.{package}.")
        ]
    assert len(modules) > 40, f"expected the whole package in the wheel, found {len(modules)} modules"
    assert set(modules) >= ELSEWHERE, f"expected {ELSEWHERE} in the wheel"
    for name in sorted(set(modules) - ELSEWHERE):
        module = importlib.import_module(name)
        file = module.__file__
        assert file is None or Path(file).is_relative_to(site), f"{name} came from {file}, not from the wheel"
    from portraiture.training.weights import load_filter, load_perception

    load_perception()
    load_filter()
    from portraiture.export.kits import kotlin_kit, swift_kit
    from portraiture.export.kits.web_kit import kit_files

    missing = {"package-lock.json", "index.html", "src/portraiture.ts", "src/page/page.css"} - set(kit_files())
    assert not missing, f"expected the web kit's sources in the wheel, found none of {missing}"
    lacks = set(KOTLIN_KIT) - set(kotlin_kit.kit_files())
    assert not lacks, f"expected the Kotlin kit's sources in the wheel, found none of {lacks}"
    lacks = set(SWIFT_KIT) - set(swift_kit.kit_files())
    assert not lacks, f"expected the Swift kit's sources in the wheel, found none of {lacks}"
    sys.stdout.write(f"wheel: {len(set(modules))} modules import from {site}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
