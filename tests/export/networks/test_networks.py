"""Each network is built once, each weights file read once, and nobody's float64 is another one's float32."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from portraiture.export.contract import MODELS, Size
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.networks.exported import example_inputs
from portraiture.export.networks.layer_outputs import layer_outputs
from portraiture.export.pipeline.truth import Truth
from portraiture.reference.errors import InputError, OptionError
from portraiture.training import weights
from portraiture.training.weights import SHIPPED_FILTER, SHIPPED_PERCEPTION

SIZE = Size(64, 64)


def test_a_network_is_built_once_and_a_weights_file_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[Path] = Counter()
    honest = weights.load_tensors

    def counted(path: Path) -> object:
        read[path] += 1
        return honest(path)

    monkeypatch.setattr(weights, "load_tensors", counted)
    monkeypatch.setattr("portraiture.training.tensor_files.load_tensors", counted)
    networks = Networks()
    forms = [(n, layout, d) for n in MODELS for layout in ("NCHW", "NHWC") for d in (torch.float32, torch.float64)]
    first = [networks.get(*form) for form in forms]
    assert [networks.get(*form) for form in forms] == first
    assert len(set(map(id, first))) == len(forms)
    assert read == {SHIPPED_PERCEPTION: 1, SHIPPED_FILTER: 1}


@pytest.mark.parametrize("name", list(MODELS))
def test_float64_leaves_float32_alone(name: str) -> None:
    networks = Networks()
    single = networks.get(name)
    before = {k: v.clone() for k, v in single.state_dict().items()}
    double = networks.get(name, dtype=torch.float64)
    assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
    after = single.state_dict()
    assert all(after[k].dtype == v.dtype and torch.equal(after[k], v) for k, v in before.items())
    inputs = list(example_inputs(name, "NCHW", SIZE).values())
    with torch.no_grad():
        ours, truth = single(*inputs), double(*(x.double() for x in inputs))
    for output, value in ours.items():
        assert (value.dtype, truth[output].dtype) == (torch.float32, torch.float64)
        assert float((value - truth[output]).abs().max()) < 1e-4


def test_a_runner_computes_in_its_networks_dtype() -> None:
    networks = Networks()
    feeds = Truth(networks).feeds("perception", SIZE, torch.zeros(64, 64, 3, dtype=torch.uint8).numpy())
    for dtype in (torch.float64, torch.float32, torch.float64):
        mask = networks.runner("perception", SIZE, dtype).run(feeds)["mask"]
        assert str(mask.dtype) == str(dtype).removeprefix("torch.")


def test_layers_come_in_the_order_of_execution_and_the_network_stays_as_it_was() -> None:
    network = Networks().get("coarse")
    inputs = list(example_inputs("coarse", "NCHW", SIZE).values())
    found = layer_outputs(network, inputs)
    assert len(found) > 10
    assert found[0][2].shape[2] == 32  # the stem halves the photo
    assert not any(m._forward_hooks for m in network.modules())


def test_unknown_models_and_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="perception, filter, portrait"):
        Networks().get("lens")
    with pytest.raises(InputError, match=r"absent.*found none"):
        Networks(Checkpoints(perception=tmp_path / "absent.safetensors")).get("perception")
