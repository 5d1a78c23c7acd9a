"""The Swift kit's sources: one source of constants, no dependency, no host, nothing that was built."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from portraiture.export.contract import VERSION
from portraiture.export.formats import IMAGE_INPUT, LAYOUT, Precision, Target
from portraiture.export.kits.kit import NEEDS, Kit, write_kits
from portraiture.export.kits.sources import SOURCE_VERSION
from portraiture.export.kits.swift_kit import CONTRACT_PLACE, SOURCES, contract_swift, kit_files
from portraiture.export.kits.typescript import rule_numbers
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import OptionError
from portraiture.reference.presence import NEAREST_SHARE

MOST_LINES = 260
"""The house's own."""

NUMBERS = rule_numbers() | {"nearestShare": NEAREST_SHARE}

MAIN = {
    name: content.decode()
    for name, content in kit_files().items()
    if name.startswith("Sources/") and name != CONTRACT_PLACE
}


def _code(text: str) -> str:
    """Swift without its comments."""
    return re.sub(r"//.*", "", text)


def test_contract_swift_says_what_the_rules_say() -> None:
    text = contract_swift()
    found = {
        name: (kind, value) for name, kind, value in re.findall(r"    public static let (\w+): (\S+) = (.+)", text)
    }
    assert found.pop("contractVersion") == ("String", f'"{VERSION}"')
    kind, listed = found.pop("precisions")
    assert kind == "[String]"
    assert [word.strip('" ') for word in listed.strip("[]").split(",")] == [p.value for p in Precision]
    assert {name: float(value) for name, (_, value) in found.items()} == NUMBERS
    for name, (kind, value) in found.items():
        assert (kind == "Int") == isinstance(NUMBERS[name], int) == ("." not in value and "e" not in value), name


def test_the_kit_computes_with_every_number_and_holds_none_itself() -> None:
    used = set(re.findall(r"Contract\.(\w+)", "".join(map(_code, MAIN.values()))))
    assert not set(NUMBERS) - used
    assert used <= {*NUMBERS, "contractVersion", "precisions"}
    own = {f"{value:g}" for value in NUMBERS.values()} - {f"{n:g}" for n in range(101)} - {"-1", "0.5", "256", "0.001"}
    assert {"1.15", "1.3", "0.016"} <= own
    for name, text in MAIN.items():
        assert not own & set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?", _code(text))), name


def test_the_core_knows_foundation_alone() -> None:
    for name, text in MAIN.items():
        modules = set(re.findall(r"^(?:@\w+ )?import (\w+)", text, re.MULTILINE))
        allowed = (
            {"Foundation", "CryptoKit"} if name.startswith("Sources/Portraiture/") else {"Foundation", "Portraiture"}
        )
        guarded = re.findall(r"#if canImport\((\w+)\)", text)
        if modules - allowed:
            assert guarded, f"{name} imports {modules - allowed} without #if canImport"
        assert "CryptoKit" not in modules or "CryptoKit" in guarded, name
    package = (SOURCES / "Package.swift").read_text()
    assert ".package(" not in package
    assert package.startswith("// swift-tools-version: 6.0\n")


@pytest.mark.parametrize("target", NEEDS[Kit.SWIFT])
def test_a_runner_runs_the_format_that_the_manifest_names(target: Target) -> None:
    (text,) = (text for text in MAIN.values() if f'target = "{target.value}"' in text)
    assert ('tensor.layout == "image RGB"' in text) == (target in IMAGE_INPUT)
    assert f'layout == "{LAYOUT[target]}"' in MAIN["Sources/Portraiture/ModelRunner.swift"]


def test_files_are_sources_and_short() -> None:
    for name, content in kit_files().items():
        text = content.decode()
        assert SOURCE_VERSION not in text, name
        assert ".build" not in name.split("/")
        assert not re.search(r"https?://", text), name
        assert text.count("\n") <= MOST_LINES, name
        assert max(map(len, text.splitlines())) <= 140 or name.endswith(".md"), name
    assert not (SOURCES / CONTRACT_PLACE).exists(), "it is written by the export alone"


def test_a_bundle_gets_the_kit(tmp_path: Path) -> None:
    write_kits(tmp_path, (Kit.SWIFT,))
    root = tmp_path / "kits/swift"
    written = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert written == kit_files()
    readme = (root / "README.md").read_text()
    assert readme.startswith(f"# Portraiture for Swift {version('portraiture')}\n")
    for word in ("Add", "Load", "Portrait", "Self-check"):
        assert f"**{word}**" in readme
    said = set(re.findall(r"\b([a-zA-Z]\w+)\(", readme)) - {"package", "product", "allSatisfy"}
    assert {
        "ModelBundle",
        "PortraitPipeline",
        "CoreMLModelRuntime",
        "Photo",
        "perceive",
        "portrait",
        "selfCheck",
    } <= said
    sources = "".join(MAIN.values())
    for name in said:
        assert re.search(rf"\b(?:func|struct|class|init) {name}\b", sources), name


def test_a_kit_that_has_nothing_to_run() -> None:
    assert BundleSpec(targets=(Target.COREML,), kits=(Kit.SWIFT,)).kits == (Kit.SWIFT,)
    with pytest.raises(
        OptionError, match="--kit swift: expected --target coreml or coreai with it, found tflite, onnx"
    ):
        BundleSpec(targets=(Target.TFLITE, Target.ONNX), kits=(Kit.SWIFT,))
