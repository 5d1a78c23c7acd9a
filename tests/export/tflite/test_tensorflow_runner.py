"""TensorFlow's interpreter as one more runtime of the same files, and what is said where it is not installed."""

from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle.open import open_bundle
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Networks
from portraiture.export.networks.wrappers import SPN_TASKS
from portraiture.export.parity import links
from portraiture.export.parity.links import tensorflow_steps
from portraiture.export.parity.rows import Row, Status
from portraiture.export.pipeline.truth import Truth
from portraiture.export.tflite import tensorflow_runner
from portraiture.export.tflite.runner import TfliteRunner
from portraiture.export.tflite.tensorflow_runner import has_tensorflow
from portraiture.export.writing.models import write_models
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import InputError
from portraiture.tools.open_pipeline import open_pipeline

SIZE = Size(128, 96)

needs_tensorflow = pytest.mark.skipif(not has_tensorflow(), reason="needs the tensorflow extra")


def tensorflow_rows(root: Path, files: list[ModelFile], photo: np.ndarray) -> list[Row]:
    """The rows of all steps."""
    steps = tensorflow_steps(root, files, Truth(Networks()), [photo])
    return [row for _, rows in steps for row in rows]


def test_the_runner_takes_any_interpreter_of_that_interface(bundle: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    opened: list[str] = []

    def interpreter(path: str, num_threads: int) -> Interpreter:
        opened.append(path)
        return Interpreter(path, num_threads=num_threads)

    (file,) = (f for f in open_bundle(bundle).find(Target.TFLITE, Precision.FP32) if f.name == "coarse")
    TfliteRunner(bundle / file.path, "coarse", SIZE, interpreter=interpreter)
    assert opened == [str(bundle / file.path)]


def test_without_the_extra_parity_lists_it_as_not_run(
    bundle: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "has_tensorflow", lambda: False)
    files = open_bundle(bundle).find(Target.TFLITE, Precision.FP32)
    (row,) = tensorflow_rows(bundle, files, astronaut)
    assert row.status is Status.NOT_RUN
    assert (str(row.subject), row.note) == ("all tflite by TensorFlow", "the tensorflow extra is not installed")
    assert tensorflow_rows(bundle, open_bundle(bundle).find(Target.ONNX), astronaut) == []


def test_without_the_extra_the_runtime_says_what_to_install(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorflow_runner, "has_tensorflow", lambda: False)
    with pytest.raises(InputError, match=r"expected the tensorflow extra; pip install 'portraiture\[tensorflow\]'"):
        open_pipeline("tensorflow", bundle, None)


@needs_tensorflow
def test_tensorflow_computes_the_same(bundle: Path, astronaut: np.ndarray) -> None:
    files = [f for f in open_bundle(bundle).find(Target.TFLITE, Precision.FP32) if f.name in ("perception", "filter")]
    rows = tensorflow_rows(bundle, files, astronaut)
    assert [(str(r.subject), r.output) for r in rows] == [
        ("perception tflite fp32 128x96 by TensorFlow", "mask"),
        ("perception tflite fp32 128x96 by TensorFlow", "depth"),
        ("filter tflite fp32 128x96 by TensorFlow", "portrait"),
    ]
    assert {r.status for r in rows} == {Status.PASSED}


@needs_tensorflow
@pytest.mark.parametrize("name", list(SPN_TASKS))
def test_tensorflow_prepares_the_models_for_an_apps_own_maps(name: str, astronaut: np.ndarray, tmp_path: Path) -> None:
    # its XNNPACK once refused a maximum after an average pool
    size = Size(64, 96)
    spec = BundleSpec((name,), (Target.TFLITE,), precisions=(Precision.FP32,), sizes=(size,))
    write_models(spec, tmp_path, Truth(Networks()))
    rows = tensorflow_rows(tmp_path, spec.files(), astronaut)
    assert [r.status for r in rows] == [Status.PASSED]
