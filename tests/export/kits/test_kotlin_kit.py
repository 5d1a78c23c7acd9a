"""The Kotlin kit's sources: one source of constants, exact versions, no host of a registry, nothing that was built."""

import re
import xml.etree.ElementTree as ET
from importlib.metadata import version
from pathlib import Path

import pytest

from portraiture.export.contract import VERSION
from portraiture.export.formats import Precision, Target
from portraiture.export.kits.kit import Kit, write_kits
from portraiture.export.kits.kotlin_kit import CONTRACT_PLACE, SOURCES, contract_kt, kit_files
from portraiture.export.kits.sources import SOURCE_VERSION
from portraiture.export.kits.typescript import rule_numbers
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import OptionError
from portraiture.reference.presence import NEAREST_SHARE
from portraiture.tools.cli import group

MOST_LINES = 260
"""The house's own."""

NUMBERS = rule_numbers() | {"nearestShare": NEAREST_SHARE}

MAIN = [name for name in kit_files() if "/src/main/" in name and name.endswith(".kt") and name != CONTRACT_PLACE]


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def test_contract_kt_says_what_the_rules_say() -> None:
    text = contract_kt()
    found = dict(re.findall(r"    const val (\w+): (?:Int|Double|String) = (.+)", text))
    assert found.pop("contractVersion") == f'"{VERSION}"'
    assert found.pop("defaultThreads") == "2"
    assert {name: float(value) for name, value in found.items()} == NUMBERS
    for name, kind, value in re.findall(r"    const val (\w+): (Int|Double) = (.+)", text):
        assert (kind == "Int") == isinstance(NUMBERS.get(name, 0), int) == ("." not in value and "e" not in value), name
    listed = re.search(r"val precisions: List<String> = listOf\((.+)\)", text)
    assert listed
    assert [word.strip('" ') for word in listed[1].split(",")] == [p.value for p in Precision]


def test_the_kit_computes_with_every_number_and_holds_none_itself() -> None:
    texts = {name: kit_files()[name].decode() for name in MAIN}
    used = set(re.findall(r"Contract\.(\w+)", "".join(texts.values())))
    assert not set(NUMBERS) - used
    assert used <= {*NUMBERS, "contractVersion", "defaultThreads", "precisions"}
    own = {f"{value:g}" for value in NUMBERS.values()} - {f"{n:g}" for n in range(101)} - {"-1", "0.5", "256", "0.001"}
    assert {"1.15", "1.3", "0.016"} <= own
    for name, text in texts.items():
        code = re.sub(r"/\*.*?\*/|//.*", "", text, flags=re.DOTALL)
        assert not own & set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?", code)), name


def test_versions_are_exact_and_no_host_is_named() -> None:
    for name, content in kit_files().items():
        assert SOURCE_VERSION not in content.decode(), name
        if name.endswith("pom.xml"):
            root = ET.fromstring(content)
            found = [e.text or "" for e in root.iter() if _tag(e) == "version" or _tag(e).endswith(".version")]
            assert found[0] == version("portraiture")
            assert all(re.fullmatch(r"\d[\w.-]*|\$\{[\w.-]+\}", v) for v in found), name
            tags = {_tag(e) for e in root.iter()}
            assert not tags & {"repositories", "pluginRepositories", "distributionManagement", "url"}, name
        hosts = set(re.findall(r"https?://([\w.]+)", content.decode()))
        assert hosts <= {"maven.apache.org", "www.w3.org", "schemas.android.com"}, name


def test_files_are_sources_and_short() -> None:
    for name, content in kit_files().items():
        assert "target" not in name.split("/")
        assert content.decode().count("\n") <= MOST_LINES or name.endswith("pom.xml"), name
        assert max(map(len, content.decode().splitlines())) <= 140 or name.endswith(".md"), name
    assert not (SOURCES / CONTRACT_PLACE).exists(), "it is written by the export alone"


def test_a_bundle_gets_the_kit(tmp_path: Path) -> None:
    write_kits(tmp_path, (Kit.KOTLIN,))
    root = tmp_path / "kits/kotlin"
    written = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert written == kit_files()
    readme = (root / "README.md").read_text()
    for word in ("Add", "Load", "Portrait", "Self-check"):
        assert f"**{word}**" in readme
    assert readme.startswith(f"# portraiture-kotlin {version('portraiture')}\n")
    sources = "".join(kit_files()[name].decode() for name in MAIN)
    for name in re.findall(r"\b([a-z]\w+|[A-Z]\w+)\(", readme):
        assert re.search(rf"\b(?:fun|class) (?:\w+\.)?{name}\b", sources) or name in (
            "implementation",
            "mavenLocal",
            "File",
        ), name


def test_a_kit_that_is_unknown_or_has_nothing_to_run(tmp_path: Path) -> None:
    assert BundleSpec(targets=(Target.ONNX,), kits=(Kit.KOTLIN,)).kits == (Kit.KOTLIN,)
    with pytest.raises(OptionError, match="--kit kotlin: expected --target tflite or onnx with it, found coreml"):
        BundleSpec(targets=(Target.COREML,), kits=(Kit.KOTLIN,))
    with pytest.raises(OptionError, match="unknown kit 'kotlni': expected one of web, kotlin, swift"):
        group(["export", "-o", str(tmp_path / "b"), "--kit", "kotlni"], standalone_mode=False)
    assert not (tmp_path / "b").exists()
