"""What two manifests say, of releases that may lack what this one has."""

import json
from pathlib import Path
from typing import Any

import pytest

from portraiture.export.bundle.allowed import Allowed, parse_allowed
from portraiture.export.bundle.any_release import AnyBundle, open_any_release
from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.diff import contract_findings, file_findings
from portraiture.export.bundle.findings import Finding, Section, Verdict, last_line, printable
from portraiture.reference.errors import InputError

PATH = "tflite/perception_64x64_fp16.tflite"
RGB = {"name": "rgb", "kind": "image", "dtype": "float32", "layout": "NHWC", "range": [0, 1], "shape": [1, 64, 64, 3]}


def model(**changed: Any) -> dict[str, Any]:
    """An entry of a manifest."""
    return {
        "name": "perception", "target": "tflite", "precision": "fp16", "size": "64x64", "path": PATH, "bytes": 100,
        "ops": {"ADD": 20}, "op_count": 20, "meaning": "maps", "inputs": [RGB], "outputs": [], **changed,
    }  # fmt: skip


def bundle(root: Path, models: list[dict[str, Any]], sizes: dict[str, int] | None = None, **changed: Any) -> AnyBundle:
    """A bundle whose files hold zeros; a key that is None is left out of the manifest."""
    for path, size in {**{m["path"]: 100 for m in models}, **(sizes or {})}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(bytes(size))
    manifest = {
        "contract_version": "5.0.0", "git_revision": "a", "tools": {"torch": "2"}, "resize": {"rule": "area"},
        "compose": {"k": "1"}, "weights": {}, "models": models, "files": checksums(root), **changed,
    }  # fmt: skip
    (root / "manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))
    return open_any_release(root)


def said(findings: list[Finding], verdict: Verdict) -> list[tuple[str, str]]:
    """Subject and property of the findings of one verdict."""
    return [(f.subject, f.what) for f in findings if f.verdict is verdict]


def both(old: AnyBundle, new: AnyBundle, *rules: str) -> list[Finding]:
    """Findings of contract and files."""
    allowed = parse_allowed(rules)
    return [*contract_findings(old, new, allowed), *file_findings(old, new, allowed)]


def test_equal_bundles_differ_in_nothing(tmp_path: Path) -> None:
    found = both(bundle(tmp_path / "a", [model()]), bundle(tmp_path / "b", [model()]))
    assert {f.verdict for f in found} == {Verdict.SAME}
    assert {f.section for f in found} == {Section.CONTRACT, Section.FILES}
    assert last_line(found) == "nothing differs"


@pytest.mark.parametrize(
    ("changed", "subject", "what"),
    [
        ({"contract_version": "5.0.1"}, "contract version", "value"),
        ({"models": [model(inputs=[{**RGB, "range": [0, 255]}])]}, "perception tflite 64x64", "inputs.rgb.range"),
        ({"models": [model(inputs=[{**RGB, "layout": "NCHW"}])]}, "perception tflite 64x64", "inputs.rgb.layout"),
        ({"models": [model(inputs=[])]}, "perception tflite 64x64", "inputs.rgb"),
        ({"models": [model(meaning="other")]}, "perception tflite 64x64", "meaning"),
        ({"resize": {"rule": "bilinear"}}, "resize rule", "rule"),
        ({"compose": {"k": "1", "c": "2"}}, "compose rule", "c"),
    ],
)
def test_another_contract_is_worse_unless_allowed(
    tmp_path: Path, changed: dict[str, Any], subject: str, what: str
) -> None:
    old = bundle(tmp_path / "a", [model()])
    new = bundle(tmp_path / "b", **{"models": [model()], **changed})
    assert (subject, what) in said(both(old, new), Verdict.WORSE)
    allowed = both(old, new, "contract")
    assert (subject, what) in said(allowed, Verdict.ALLOWED)
    assert not said(allowed, Verdict.WORSE)


def test_a_file_that_needs_a_newer_system_is_worse_unless_allowed(tmp_path: Path) -> None:
    old = bundle(tmp_path / "a", [model(needs={"ios": "17", "macos": "14"})])
    new = bundle(tmp_path / "b", [model(needs={"ios": "18", "macos": "14"})])
    place = ("perception tflite fp16 64x64 needs", "ios")
    assert said(both(old, new), Verdict.WORSE) == [place]
    assert said(both(old, new, "contract"), Verdict.ALLOWED) == [place]
    assert said(both(bundle(tmp_path / "c", [model()]), new), Verdict.WORSE) == []  # a release that did not say it


def test_the_order_of_inputs_is_part_of_the_contract(tmp_path: Path) -> None:
    mask = {**RGB, "name": "mask"}
    old = bundle(tmp_path / "a", [model(inputs=[RGB, mask])])
    new = bundle(tmp_path / "b", [model(inputs=[mask, RGB])])
    assert said(both(old, new), Verdict.WORSE) == [("perception tflite 64x64", "order of inputs")]


def test_tools_and_revision_are_told_and_not_judged(tmp_path: Path) -> None:
    old = bundle(tmp_path / "a", [model()])
    new = bundle(tmp_path / "b", [model()], tools={"torch": "3", "onnx": "1"}, git_revision="b")
    found = both(old, new)
    assert said(found, Verdict.DIFFERS) == [("tools", "torch"), ("tools", "onnx"), ("git revision", "value")]
    assert not said(found, Verdict.WORSE)
    assert "3 of" in last_line(found)


def test_settings_of_the_goldens_are_compared(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in "ab"]
    for root, aperture in zip(roots, (0.016, 0.02), strict=True):
        (root / "goldens").mkdir(parents=True)
        (root / "goldens/index.json").write_text(json.dumps({"aperture": aperture, "arrays": {}}))
    old, new = (bundle(root, [model()]) for root in roots)
    assert ("settings of the goldens", "aperture") in said(both(old, new), Verdict.WORSE)


@pytest.mark.parametrize("missing", ["resize", "compose", "tools", "weights", "git_revision"])
def test_a_key_that_an_older_release_lacks_is_a_difference_and_no_crash(tmp_path: Path, missing: str) -> None:
    old = bundle(tmp_path / "a", [model()], **{missing: None, "contract_version": "1.0.0"})
    new = bundle(tmp_path / "b", [model()], more={"of": "a later release"})
    found = both(old, new)
    assert ("contract version", "value") in said(found, Verdict.WORSE)
    assert not said(both(old, new, "contract"), Verdict.WORSE)


def test_a_model_of_an_older_release_may_say_little(tmp_path: Path) -> None:
    few = {k: model()[k] for k in ("name", "target", "precision", "size", "path")}
    found = both(bundle(tmp_path / "a", [few]), bundle(tmp_path / "b", [model()]), "contract")
    assert ("perception tflite fp16 64x64", "ops") in said(found, Verdict.NOT_COMPARED)


def test_models_that_this_release_does_not_know_are_compared_by_their_manifest(tmp_path: Path) -> None:
    other = model(name="hair", target="coreai", precision="int4", path="coreai/hair.ai")
    old, new = bundle(tmp_path / "a", [other]), bundle(tmp_path / "b", [other], {"coreai/hair.ai": 200})
    assert old.models["hair coreai int4 64x64"].known is None
    assert said(both(old, new), Verdict.WORSE) == [("hair coreai int4 64x64", "bytes")]


def test_removed_added_and_renamed_files(tmp_path: Path) -> None:
    other = model(precision="fp32", path="tflite/perception_64x64_fp32.tflite")
    old = bundle(tmp_path / "a", [model(), other], {"constants/A.kt": 3})
    new = bundle(tmp_path / "b", [model(path="tflite/p.tflite"), model(size="96x96", path="tflite/q.tflite")])
    found = both(old, new)
    worse = [("perception tflite fp32 64x64", "removed"), ("perception tflite fp16 64x64", "path"),
             ("constants/A.kt", "removed")]  # fmt: skip
    assert said(found, Verdict.WORSE) == worse
    assert ("perception tflite fp16 96x96", "added") in said(found, Verdict.DIFFERS)
    assert said(both(old, new, "removed"), Verdict.ALLOWED) == worse


@pytest.mark.parametrize(("size", "rules", "verdict"), [
    (105, (), Verdict.ALLOWED), (106, (), Verdict.WORSE), (106, ("bytes=+6%",), Verdict.ALLOWED),
    (101, ("bytes=+0",), Verdict.WORSE), (100, ("bytes=+0",), Verdict.SAME), (50, ("bytes=+0",), Verdict.ALLOWED),
])  # fmt: skip
def test_bytes_are_held_to_their_rule(tmp_path: Path, size: int, rules: tuple[str, ...], verdict: Verdict) -> None:
    old, new = bundle(tmp_path / "a", [model()]), bundle(tmp_path / "b", [model()], {PATH: size})
    assert ("perception tflite fp16 64x64", "bytes") in said(both(old, new, *rules), verdict)


def test_operations_are_held_to_their_rule(tmp_path: Path) -> None:
    old, new = bundle(tmp_path / "a", [model()]), bundle(tmp_path / "b", [model(op_count=21)])
    assert ("perception tflite fp16 64x64", "ops") in said(both(old, new), Verdict.ALLOWED)
    assert ("perception tflite fp16 64x64", "ops") in said(both(old, new, "ops=+0"), Verdict.WORSE)


def test_a_shared_file_is_weighed_once(tmp_path: Path) -> None:
    shared = [
        model(name=n, entry=f"{n}_64x64", path="tflite/portraiture_fp16.tflite") for n in ("perception", "filter")
    ]
    old = bundle(tmp_path / "a", shared)
    new = bundle(tmp_path / "b", shared, {"tflite/portraiture_fp16.tflite": 200})
    assert said(both(old, new), Verdict.WORSE) == [("tflite/portraiture_fp16.tflite", "bytes")]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"models": []}, "models"),
        ({"models": None}, "models"),
        ({"contract_version": None}, "contract_version"),
        ({"models": [model(path="../../etc/passwd")]}, "path"),
        ({"models": [model(), model()]}, "twice"),
        ({"files": {"x": "y"}}, "files"),
        ({"files": {}}, "export the bundle again|remove it"),
    ],
)
def test_a_manifest_that_no_release_wrote_is_refused(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    bundle(tmp_path, [model()])
    manifest = json.loads((tmp_path / "manifest.json").read_text()) | changed
    (tmp_path / "manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))
    with pytest.raises(InputError, match=words):
        open_any_release(tmp_path)


def test_long_values_are_cut_to_where_they_differ(tmp_path: Path) -> None:
    rules = [{"k": "a" * 300 + end + "c" * 300} for end in ("old", "new")]
    old, new = (bundle(tmp_path / n, [model()], compose=r) for n, r in zip("ab", rules, strict=True))
    (found,) = [f for f in contract_findings(old, new, Allowed()) if f.subject == "compose rule"]
    assert "old" in found.old
    assert "new" in found.new
    assert len(str(found)) < 350


def test_lines_hold_no_characters_that_a_terminal_obeys() -> None:
    assert printable("a\x1b[31mb\nc\ud800") == "a?[31mb?c?"
