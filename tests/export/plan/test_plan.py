"""A plan's file: what it says, and what is refused in one line."""

from dataclasses import replace
from pathlib import Path

import pytest

from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.networks.build import Networks
from portraiture.export.networks.digests import digests
from portraiture.export.plan import Kind, Plan, carried, plan_of, read_plan
from portraiture.export.plan_tolerance import PLAN_MARGIN_DB
from portraiture.export.tolerances import file_tolerance, probe_tolerance, use_tolerance
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.planned import remarks
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import InputError, OptionError

SOUND = """
budget_db = 45
[weights]
perception = "{}"
[layers]
"perception.coarse.encoder.blocks.*.expand" = "palette6"
"perception.coarse.encoder.blocks.6.*" = "int8"
"perception.coarse.encoder.blocks.6.expand" = "fp16"
""".format("a" * 64)


def test_a_layers_own_name_counts_before_patterns_and_the_first_pattern_before_others(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(SOUND)
    plan = read_plan(tmp_path / "plan.toml")
    block = "perception.coarse.encoder.blocks."
    found = plan.kinds([f"{block}6.expand", f"{block}7.expand", f"{block}6.project", f"{block}7.project"])
    assert list(found.values()) == [Kind.FP16, Kind.PALETTE6, Kind.INT8, Kind.FP16]
    both = Plan(45.0, (("*.expand", Kind.PALETTE6), ("*.6.*", Kind.INT8)), ())
    assert both.kind_of(f"{block}6.expand") is Kind.PALETTE6
    assert plan.budget_db == 45.0
    assert plan_of(plan.to_json(), "again") == plan


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"int8"', '"int7"', r"blocks.6.*: expected one of fp16, int8, .*found 'int7'"),
        ("budget_db = 45", 'budget_db = "much"', "budget_db: input should be"),
        ("budget_db = 45", "budget_db = nan", "budget_db"),
        ("budget_db = 45", "", "budget_db: field required"),
        ("a" * 64, "abc", "weights.perception"),
        ("[layers]", "[layers", "expected TOML"),
        ("[layers]", "[layer]", "layer"),
    ],
)
def test_another_form_is_refused_in_one_line(tmp_path: Path, before: str, after: str, words: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(SOUND.replace(before, after))
    with pytest.raises(InputError, match=words) as refused:
        read_plan(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_no_file_and_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a plan's file"):
        read_plan(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="expected a plan's file"):
        read_plan(tmp_path / "bytes.toml")


def test_a_plan_for_other_weights_or_an_unknown_layer_is_refused_before_work_begins(tmp_path: Path) -> None:
    known = tuple(digests(Networks()).items())
    other = Plan(45.0, (("*.expand", Kind.INT8),), (("perception", "0" * 64),), "mine.toml")
    unknown = Plan(45.0, (("perception.coarse.nose", Kind.INT8),), known, "mine.toml")
    for plan, words in ((other, "mine.toml: expected a plan for these perception weights"),
                        (unknown, "mine.toml: layers: expected a layer of the network, found 'perception.coarse.nose'"),
                        ):  # fmt: skip
        spec = BundleSpec(("filter",), (Target.ONNX,), (Precision.PLAN,), (Size(64, 64),), plan=plan)
        with pytest.raises(InputError, match=words):
            export_bundle(spec, tmp_path / "bundle", gate=False)
        assert not (tmp_path / "bundle").exists()


def test_the_precision_and_the_plan_need_each_other() -> None:
    plan = Plan(45.0, (), ())
    for given in ({"precisions": (Precision.PLAN,)}, {"plan": plan}):
        with pytest.raises(OptionError, match="--plan FILE"):
            BundleSpec(**given)  # type: ignore[arg-type]
    files = BundleSpec(precisions=(Precision.FP16, Precision.PLAN), plan=plan).files()
    assert [f.plan for f in files if f.precision is Precision.FP16] == [None] * 6
    assert {f.budget_db for f in files if f.precision is Precision.PLAN} == {45.0}


def test_what_a_format_lacks_becomes_int8_and_is_told() -> None:
    plan = Plan(45.0, (("*.expand", Kind.PALETTE4), ("*.encoder.*depthwise", Kind.INT8_DYNAMIC)), ())
    spec = BundleSpec(targets=BUILT_IN, precisions=(Precision.PLAN,), plan=plan)
    said = list(remarks(spec, Networks()))
    first = "perception.coarse.encoder.blocks.1.expand and 15 more layers: stored as int8"
    assert [line for line in said if "palette4" in line] == [
        f"plan: {target} has no palette4 for {first}" for target in ("tflite", "onnx")
    ]
    # TFLite's delegate takes no depthwise layer whose input is quantized when it runs
    assert [line.split(" ", 2)[1] for line in said if "int8-dynamic" in line] == ["tflite", "coreml", "onnx"]
    assert carried(Kind.INT8_DYNAMIC, Target.TFLITE) is Kind.INT8_DYNAMIC
    assert carried(Kind.PALETTE4, Target.COREML) is Kind.PALETTE4
    assert list(remarks(replace(spec, plan=None, precisions=(Precision.FP16,)), Networks())) == []


def test_the_gate_of_a_plan_is_its_budget() -> None:
    for name, output in (("perception", "mask"), ("portrait", "portrait"), ("filter", "portrait")):
        for tolerance in (use_tolerance, file_tolerance, probe_tolerance):
            gate = tolerance(name, Target.COREML, Precision.PLAN, output, budget_db=52.0)
            assert (gate.min_psnr_db, gate.max_abs, gate.min_iou) == (52.0 - PLAN_MARGIN_DB, None, None)
            assert "52 dB" in gate.reason
