"""Each rule refuses what breaks it, names its source, and lets what is just inside it pass."""

import pytest

from portraiture.export.contract import Size
from portraiture.export.doctor.devices.examine import RULES, Device, check_devices, devices_for, verdict
from portraiture.export.doctor.devices.rules import Reason
from portraiture.export.formats import Precision, Target
from portraiture.export.graph import Graph, Node, Tensor
from portraiture.export.model_file import ModelFile
from portraiture.reference.errors import OptionError

HALF, FULL = "float16", "float32"
Shape = tuple[int | None, ...]


def node(
    kind: str, dtype: str = FULL, shape: Shape = (1, 8, 8, 4), made: Shape | None = None,
    constants: tuple[Shape, ...] = (), more: tuple[Shape, ...] = (), **numbers: tuple[int, ...],
) -> Node:  # fmt: skip
    """An operation on one tensor, or on several, that makes one of the same type."""
    given = tuple(Tensor(f"in{k}", s, dtype) for k, s in enumerate((shape, *more)))
    fixed = tuple(Tensor(f"const{k}", s, dtype) for k, s in enumerate(constants))
    return Node(kind, "net.layer", given, fixed, (Tensor("out", made or shape, dtype),), numbers)


def reasons(device: Device, target: Target, one: Node) -> list[Reason]:
    file = ModelFile("perception", target, Precision.FP16, Size(64, 64), "x")
    found = verdict(file, device, Graph((one,), one.inputs, one.outputs))
    assert found.is_whole == (not found.refusals)
    assert found.taken == int(found.is_whole)
    return [r.reason for r in found.refusals]


TFLITE_GPU, COREML_GPU = (Device.GPU, Target.TFLITE), (Device.GPU, Target.COREML)
ANE = (Device.ANE, Target.COREML)
TFLITE_NPU, ONNX_NPU = (Device.NPU, Target.TFLITE), (Device.NPU, Target.ONNX)


@pytest.mark.parametrize(
    ("where", "broken", "reason", "sound"),
    [
        (TFLITE_GPU, node("REVERSE_V2"), Reason.KIND, node("RELU6")),
        (TFLITE_GPU, node("ADD", shape=(1, None, 8, 4)), Reason.DYNAMIC, node("ADD")),
        (TFLITE_GPU, node("RESHAPE", shape=(1, 2, 4, 8, 4)), Reason.RANK, node("RESHAPE")),
        (TFLITE_GPU, node("RESHAPE", shape=()), Reason.RANK, node("RESHAPE", shape=(1,))),
        (TFLITE_GPU, node("ADD", "int64"), Reason.DTYPE, node("ADD", "int8")),
        (TFLITE_GPU, node("SLICE", shape=(8, 4)), Reason.SETTING, node("SLICE", shape=(8, 8, 4))),
        (TFLITE_GPU, node("STRIDED_SLICE", shrinkAxisMask=(2,)), Reason.SETTING, node("STRIDED_SLICE")),
        (
            TFLITE_GPU,
            node("MUL", shape=(1, 8, 1, 4), more=((1, 1, 8, 4),), made=(1, 8, 8, 4)),
            Reason.SETTING,
            node("MUL", more=((1, 1, 8, 4),)),
        ),
        (
            TFLITE_GPU,
            node("DEPTHWISE_CONV_2D", made=(1, 8, 8, 8)),
            Reason.SETTING,
            node("DEPTHWISE_CONV_2D", shape=(1, 8, 8, 1), made=(1, 8, 8, 8)),
        ),
        (TFLITE_GPU, node("PAD", constants=((2, 2),)), Reason.SETTING, node("PAD", constants=((4, 2),))),
        (COREML_GPU, node("while_loop"), Reason.KIND, node("gather")),
        (COREML_GPU, node("reshape", shape=(1, 1, 2, 2, 2, 2)), Reason.RANK, node("reshape", shape=(1, 2, 2, 2, 2))),
        (ANE, node("gather", HALF), Reason.KIND, node("conv", HALF)),
        (ANE, node("lstm", HALF), Reason.KIND, node("relu", HALF)),
        (ANE, node("cumsum", HALF), Reason.KIND, node("reduce_sum", HALF)),
        (ANE, node("conv", HALF, shape=(1, 8, None, 8)), Reason.DYNAMIC, node("conv", HALF)),
        (ANE, node("reshape", HALF, shape=(1, 2, 4, 8, 8)), Reason.RANK, node("reshape", HALF, shape=(8, 8))),
        (ANE, node("conv", FULL), Reason.DTYPE, node("conv", HALF)),
        (ANE, node("conv", "int32"), Reason.DTYPE, node("conv", HALF)),
        (ANE, node("add", HALF, shape=(1, 1, 1, 16385)), Reason.SIZE, node("add", HALF, shape=(1, 65536, 1, 16384))),
        (ANE, node("conv", HALF, dilations=(1, 2)), Reason.DILATION, node("conv", HALF, dilations=(1, 1))),
        (ANE, node("avg_pool", HALF, kernel_sizes=(14, 2)), Reason.SIZE, node("avg_pool", HALF, kernel_sizes=(13, 2))),
        (ANE, node("max_pool", HALF, strides=(3, 3)), Reason.SIZE, node("max_pool", HALF, strides=(2, 2))),
        (TFLITE_NPU, node("SPLIT_V"), Reason.KIND, node("SPLIT")),
        (TFLITE_NPU, node("ADD", "int64"), Reason.DTYPE, node("ADD", "int8")),
        (ONNX_NPU, node("Erf"), Reason.KIND, node("Gelu")),
        (ONNX_NPU, node("Conv", shape=(1, None, 8, 8)), Reason.DYNAMIC, node("Conv")),
        (ONNX_NPU, node("Reshape", shape=(1, 2, 2, 2, 2)), Reason.RANK, node("Reshape", shape=(2, 2))),
        (ONNX_NPU, node("Add", "float64"), Reason.DTYPE, node("Add", HALF)),
    ],
    ids=lambda value: value.kind if isinstance(value, Node) else "",
)
def test_a_limit_is_held(where: tuple[Device, Target], broken: Node, reason: Reason, sound: Node) -> None:
    assert reasons(*where, broken) == [reason]
    assert reasons(*where, sound) == []


def test_a_cast_to_or_from_fp16_is_the_neural_engines_way_in_and_out() -> None:
    full, half = Tensor("a", (1, 3, 8, 8), FULL), Tensor("b", (1, 3, 8, 8), HALF)
    assert reasons(*ANE, Node("cast", "a", (full,), (), (half,))) == []
    assert reasons(*ANE, Node("cast", "a", (half,), (), (full,))) == []
    assert reasons(*ANE, Node("cast", "a", (full,), (), (Tensor("b", (1, 3, 8, 8), "int32"),))) == [Reason.DTYPE]


def test_every_rule_names_its_source_and_what_to_write() -> None:
    for rules in RULES.values():
        for rule in rules:
            assert "https://" in rule.source or rule.source.startswith("coremltools"), rule.source
            assert ": " in rule.source
    file = ModelFile("perception", Target.TFLITE, Precision.FP16, Size(64, 64), "x")
    one = node("REVERSE_V2")
    (refusal,) = verdict(file, Device.GPU, Graph((one,), one.inputs, one.outputs)).refusals
    assert "concatenate" in refusal.instead


def test_devices_are_those_of_the_format() -> None:
    assert devices_for(Target.TFLITE) == [Device.GPU, Device.NPU, Device.XNNPACK]
    assert devices_for(Target.COREML) == [Device.GPU, Device.ANE]
    assert devices_for(Target.ONNX) == [Device.NPU]
    assert devices_for(Target.COREML, [Device.ANE, Device.NPU]) == [Device.ANE]
    check_devices([Target.TFLITE, Target.ONNX], [Device.XNNPACK, Device.NPU])
    with pytest.raises(OptionError, match="--device ane: expected coreml files, found tflite, onnx; export with --t"):
        check_devices([Target.TFLITE, Target.ONNX], [Device.GPU, Device.ANE])
