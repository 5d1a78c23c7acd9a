"""The web kit's sources: one source of constants, exact versions, no host of a registry, nothing that was built."""

import json
import re
from pathlib import Path

import pytest

from portraiture.export import rules
from portraiture.export.contract import APERTURE, VERSION
from portraiture.export.formats import Target
from portraiture.export.kits import typescript as module
from portraiture.export.kits.kit import Kit, write_kits
from portraiture.export.kits.typescript import rule_numbers, typescript
from portraiture.export.kits.web_kit import CONTRACT_PLACE, SOURCES, kit_files, kit_hash, write_kit
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import OptionError
from portraiture.reference.lens import radii
from portraiture.tools.cli import group
from portraiture.tools.demo.node import LEAST_NODE

MOST_LINES = 260
"""The house's own."""


def test_contract_ts_says_what_the_rules_say() -> None:
    lines = typescript().splitlines()
    found = dict(re.fullmatch(r"export const (\w+) = (.+);", line).groups() for line in lines[1:])  # type: ignore[union-attr]
    assert json.loads(found["contractVersion"]) == VERSION
    assert json.loads(found["layout"]) == "NHWC"
    numbers = {name: json.loads(found[name]) for name in rule_numbers()}
    assert numbers == pytest.approx(rule_numbers(), rel=0, abs=0)
    assert numbers["maskWindowPx"] == rules.MASK_WINDOW_PX
    assert numbers["farFrom"] == radii.FAR_FROM
    assert numbers["apertureMax"] == APERTURE.high


def test_no_number_of_the_rules_stands_in_the_kits_own_code() -> None:
    imported = set()
    for name, content in kit_files().items():
        if name.startswith("src/") and name.endswith(".ts") and name != CONTRACT_PLACE:
            text = content.decode()
            for block in re.findall(r"import (?:type )?\{([^}]*)\} from \"[./]*contract\"", text):
                imported |= {part.strip() for part in block.split(",") if part.strip()}
            for number in ("1.15", "1e-3;", "0.016", "0.04", "1.3 ", "0.35", "0.65", "0.85"):
                assert number not in text or name == "src/worker/views.ts" or "1e-3" in number, (name, number)
    unused = set(rule_numbers()) - imported
    assert not unused, f"the kit computes without {unused}"


def test_a_change_of_the_contract_is_a_new_build(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kit_hash()
    monkeypatch.setattr(module, "VERSION", "99.0.0")
    assert kit_hash() != before


def test_versions_are_exact_and_no_host_is_named() -> None:
    files = kit_files()
    package, lock = (json.loads(files[name]) for name in ("package.json", "package-lock.json"))
    versions = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", v) for v in versions.values())
    assert package["engines"]["node"] == ">=" + ".".join(map(str, LEAST_NODE))
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


def test_files_are_sources_and_short(tmp_path: Path) -> None:
    files = kit_files()
    assert not [name for name in files if name.startswith(("node_modules/", "dist/"))]
    for name, content in files.items():
        lines = content.decode().count("\n")
        assert lines <= MOST_LINES or name == "package-lock.json", (name, lines)
    write_kit(tmp_path)
    written = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert written == files
    assert not (SOURCES / "dist").exists()


def test_a_bundle_gets_the_kits_that_it_can_run(tmp_path: Path) -> None:
    write_kits(tmp_path, (Kit.WEB,))
    assert (tmp_path / "kits/web" / CONTRACT_PLACE).read_text() == typescript()
    readme = (tmp_path / "kits/web/README.md").read_text()
    exports = json.loads((tmp_path / "kits/web/package.json").read_text())["exports"]
    for name, place in exports.items():
        assert "portraiture-web" + name[1:] in readme
        assert (tmp_path / "kits/web" / place).is_file()
    with pytest.raises(OptionError, match="--kit web: expected --target tflite with it, found onnx; add tflite"):
        BundleSpec(targets=(Target.ONNX,), kits=(Kit.WEB,))
    with pytest.raises(OptionError, match="unknown kit 'wen': expected one of web"):
        group(["export", "-o", str(tmp_path / "b"), "--kit", "wen"], standalone_mode=False)
    assert not (tmp_path / "b").exists()
