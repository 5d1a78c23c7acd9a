"""Fixtures that several folders share: the real photos where they are, and one small bundle a session."""

import os
from pathlib import Path

# on a busy machine, threads that spin while they wait cost 80 times what they compute
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pytest
import torch

torch.set_num_threads(2)
DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The datasets' folder; tests that need it skip where it is absent."""
    if not DATA.is_dir():
        pytest.skip("needs the real photos in ../shared/data, which are not here")
    return DATA


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A public-domain photo of a person, 512x512x3 uint8."""
    import skimage.data

    return np.asarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every model, target and precision at 128x96, from the shipped weights; tests copy it before they harm it."""
    from portraiture.export.contract import Size
    from portraiture.export.formats import Precision, Target
    from portraiture.export.writing.export_bundle import finish
    from portraiture.export.writing.in_place import replacing
    from portraiture.export.writing.models import write_models
    from portraiture.export.writing.spec import BundleSpec

    root = tmp_path_factory.mktemp("export") / "bundle"
    models = ("perception", "filter", "portrait", "coarse")
    spec = BundleSpec(models, tuple(Target), precisions=(Precision.FP32, Precision.FP16), sizes=(Size(128, 96),))
    with replacing(root) as folder:
        finish(folder, spec, write_models(spec, folder))
    return root
