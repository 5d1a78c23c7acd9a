"""A network of one's own in the place of perception: its description, its sources, and the way to a proven bundle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from portraiture.export import tolerances
from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.model_file import bytes_of
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.networks.own import DepthOutput, MaskOutput, OwnNetwork, OwnPerception
from portraiture.export.networks.own_source import load_own
from portraiture.export.parity.rows import Status
from portraiture.export.parity.run import run_parity
from portraiture.export.pipeline.truth import Truth
from portraiture.export.tolerance import Tolerance
from portraiture.export.writing.calibration import calibration_photos
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import ExportError, GateError, InputError, OptionError
from portraiture.reference.photo.write import write_photo
from portraiture.training.weights import load_perception

SOURCE = '''
import torch
from torch import nn
from portraiture.export.networks.own import DepthOutput, MaskOutput, OwnNetwork

class Small(nn.Module):
    """Half the size out: class scores and disparity."""

    def __init__(self, odd=lambda x: x):
        super().__init__()
        torch.manual_seed(3)
        self.first, self.pool = nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(3, 2, 1)
        self.scores, self.disparity, self.odd = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 1, 1), odd

    def forward(self, x):
        x = self.odd(self.pool(torch.relu(self.first(x))))
        return {"scores": 4 * self.scores(x), "disparity": 50 + 90 * self.disparity(x)[:, 0]}

class Wide(nn.Module):
    """A layer large enough for int8 between two small ones."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.layers = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1),
                                    nn.ReLU(), nn.Conv2d(64, 2, 1))

    def forward(self, x):
        return 20 * self.layers(x)

MASK = MaskOutput("scores", 2, "classes")
DEPTH = DepthOutput("disparity", values="relative", larger_is_farther=False)
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

def both(): return OwnNetwork(Small(), mask=MASK, depth=DEPTH, **IMAGENET)
def wide(): return OwnNetwork(Wide(), MaskOutput(None, 0, "logit"), DepthOutput(None, 1, "logit"))
def mask_alone(): return OwnNetwork(Small(), mask=MASK)
def fixed(): return OwnNetwork(Small(), mask=MASK, sizes=("64x96",))
def with_fft(): return OwnNetwork(Small(lambda x: torch.fft.rfft2(x).abs()[..., :32]), mask=MASK, depth=DEPTH)
def with_roll(): return OwnNetwork(Small(lambda x: torch.roll(x, 1, 3)), mask=MASK, depth=DEPTH)
def with_grid():
    from torch.nn.functional import grid_sample
    grid = lambda x: torch.zeros(1, *x.shape[2:], 2, dtype=x.dtype)
    return OwnNetwork(Small(lambda x: grid_sample(x, grid(x), align_corners=False)), mask=MASK, depth=DEPTH)
def raises(): raise ValueError("my own\\nfault")
def something(): return nn.Identity()
'''


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """From a function's name to a value of ``--network``; the module lies in the folder one is in."""
    (tmp_path / "small_net.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return lambda name: f"small_net.py:{name}"


class Pair(NamedTuple):
    mask: Tensor
    depth: Tensor


class Given(nn.Module):
    """Returns what it was given, whatever its input; keeps the input."""

    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found, self.seen = found, torch.zeros(())

    def forward(self, x: Tensor) -> Any:
        self.seen = x
        return self.found


def maps_of(found: Any, mask: MaskOutput | None, depth: DepthOutput | None = None, **options: Any) -> Any:
    own = (
        OwnNetwork(Given(found), mask, depth or DepthOutput(), **options)
        if mask
        else OwnNetwork(Given(found), depth=depth)
    )
    return OwnPerception(own, None)(torch.rand(1, 3, 4, 6))


def plane(*values: float) -> Tensor:
    """(1, 1, 4, 6) whose columns repeat the values."""
    return torch.tensor(values).repeat_interleave(6 // len(values)).expand(1, 1, 4, 6)


@pytest.mark.parametrize("wrap", [lambda m, d: (m, d), lambda m, d: [m, d]])
def test_maps_are_found_by_number(wrap: Callable[[Tensor, Tensor], Any]) -> None:
    found = wrap(plane(0.1, 0.9), plane(0.2, 0.4))
    maps = maps_of(found, MaskOutput(0, values="probability"), DepthOutput(1))
    assert torch.equal(maps.mask, plane(0.1, 0.9))
    assert torch.equal(maps.depth, plane(0.2, 0.4))


@pytest.mark.parametrize("wrap", [lambda m, d: {"mask": m, "depth": d}, Pair])
def test_maps_are_found_by_name(wrap: Callable[[Tensor, Tensor], Any]) -> None:
    found = wrap(plane(0.1, 0.9), plane(0.2, 0.4)[:, 0])  # depth without a channel
    maps = maps_of(found, MaskOutput("mask", values="probability"), DepthOutput("depth"))
    assert torch.equal(maps.mask, plane(0.1, 0.9))
    assert torch.equal(maps.depth, plane(0.2, 0.4))


def test_values_become_the_contracts() -> None:
    scores = torch.cat([plane(0.0, 2.0), plane(1.0, -1.0), plane(3.0, 0.0)], 1)
    assert torch.allclose(maps_of(scores, MaskOutput(None, 1, "classes")).mask, torch.softmax(scores, 1)[:, 1:2])
    assert torch.allclose(maps_of(scores, MaskOutput(None, 2, "logit")).mask, torch.sigmoid(scores[:, 2:]))
    logit = maps_of(scores, MaskOutput(), DepthOutput(None, 1, "logit")).depth
    assert torch.allclose(logit, torch.sigmoid(scores[:, 1:2]))


def test_relative_depth_becomes_the_photos_own_range_and_larger_is_farther() -> None:
    disparity = plane(-40.0, 10.0, 60.0)
    farther = maps_of(disparity, MaskOutput(), DepthOutput(None, 0, "relative", larger_is_farther=False)).depth
    assert torch.allclose(farther, plane(1.0, 0.5, 0.0), atol=0.011)
    nearer = maps_of(disparity, MaskOutput(), DepthOutput(None, 0, "relative")).depth
    assert torch.allclose(nearer, 1 - farther, atol=1e-6)
    flat = maps_of(plane(50.0) + 1e-3 * torch.rand(1, 1, 4, 6), MaskOutput(), DepthOutput(None, 0, "relative")).depth
    assert float(flat.max()) < 0.01  # noise on a flat map is not stretched to a depth


def test_the_network_gets_its_own_channels() -> None:
    network = Given(plane(0.5))
    own = OwnNetwork(network, MaskOutput(), DepthOutput(), mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 1.0), bgr=True)
    rgb = torch.rand(1, 3, 4, 6)
    OwnPerception(own, None)(rgb)
    r, g, b = rgb[0]
    assert torch.allclose(network.seen[0], torch.stack([b - 0.3, (g - 0.2) / 0.25, (r - 0.1) / 0.5]))


@pytest.mark.parametrize(("height", "width"), [(2, 3), (1, 1), (3, 4)])
def test_smaller_maps_are_enlarged(height: int, width: int) -> None:
    small = torch.rand(1, 1, height, width)
    found = maps_of(small, MaskOutput(values="probability")).mask
    expected = nn.functional.interpolate(small, (4, 6), mode="bilinear", align_corners=False)
    assert torch.allclose(found, expected)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 2, 1), (3, 1, 1), (5, 2, 2), ((3, 5), 2, (1, 2)), (2, 2, 1)]
)
def test_a_pool_with_padding_is_the_same_without_infinities(kernel: Any, stride: int, padding: Any) -> None:
    pool = nn.MaxPool2d(kernel, stride, padding)
    x = torch.randn(1, 2, 11, 14)
    expected = pool(x)
    holder = nn.Sequential(nn.Identity(), nn.Sequential(pool))
    own = OwnPerception(OwnNetwork(holder, MaskOutput(), DepthOutput()), None)
    assert torch.equal(own.network(x), expected)
    assert not any(isinstance(m, nn.MaxPool2d) for m in own.modules())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: OwnNetwork(nn.Identity()), "expected mask, depth or both, found neither"),
        (lambda: OwnNetwork(3, MaskOutput()), "expected an nn.Module as network, found int"),  # type: ignore[arg-type]
        (lambda: OwnNetwork(nn.Identity(), MaskOutput(), std=(1, 0, 1)), "three above 0 as std"),
        (lambda: OwnNetwork(nn.Identity(), MaskOutput(), sizes=("500x300",)), "expected multiples of 32"),
        (lambda: MaskOutput(values="scores"), "probability, logit, classes"),
        (lambda: DepthOutput(values="metres"), "unit, logit, relative"),
    ],
)
def test_a_wrong_description_is_told(build: Callable[[], object], message: str) -> None:
    with pytest.raises((OptionError, InputError), match=message):
        build()


@pytest.mark.parametrize(
    ("found", "mask", "message"),
    [
        ({"out": plane(0.0)}, MaskOutput("mask"), "at key 'mask', found outputs out"),
        ((plane(0.0),), MaskOutput(1), "at key 1, found 1 outputs"),
        ((plane(0.0),), MaskOutput(), "found tuple"),
        (torch.zeros(1, 5), MaskOutput(), r"found a tensor of shape \(1, 5\)"),
        (plane(0.0), MaskOutput(channel=4), "expected mask in channel 4, found 1 channels"),
    ],
)
def test_what_does_not_fit_the_description_is_told(found: Any, mask: MaskOutput, message: str) -> None:
    with pytest.raises(InputError, match=message):
        maps_of(found, mask)


def test_a_map_that_is_lacking_is_ours(source: Callable[[str], str]) -> None:
    rgb = torch.rand(1, 3, 64, 64)
    network = Networks(Checkpoints(own=source("mask_alone"))).get("perception")
    with torch.no_grad():
        found, ours = network(rgb), load_perception()(rgb)
    assert torch.equal(found["depth"], ours.depth)
    assert not torch.allclose(found["mask"], ours.mask, atol=0.01)


def test_a_module_is_found_here_by_name(source: Callable[[str], str]) -> None:
    assert load_own("small_net:both").mask == MaskOutput("scores", 2, "classes")
    assert load_own(source("both")).depth == DepthOutput("disparity", 0, "relative", larger_is_farther=False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("small_net.py:raises", "the function raises ValueError: my own fault"),
        ("small_net.py:something", "expected an OwnNetwork, found Identity"),
        ("small_net.py:nothing", "expected a function nothing, found none"),
        ("no_such_module:build", "expected a module no_such_module, found none"),
        ("no_file.py:build", "expected a file no_file.py, found none"),
        ("small_net", "expected module:function, file.py:function"),
        ("lost.onnx", "lost.onnx: expected a file, found none"),
        ("needs.py:build", "needs.py needs a_library_of_nobody, which is not installed"),
        ("broken.py:build", "importing it raises SyntaxError"),
        ("no_program.pt2", "expected a program of torch.export.save"),
    ],
)
def test_a_source_that_cannot_be_used_is_one_line(source: Callable[[str], str], name: str, message: str) -> None:
    Path("needs.py").write_text("import a_library_of_nobody\n")
    Path("broken.py").write_text("def build(:\n")
    Path("no_program.pt2").write_bytes(b"no archive")
    with pytest.raises((OptionError, InputError), match=message) as caught:
        load_own(name)
    assert "\n" not in str(caught.value)


TABLE = (
    'mean = [0.5, 0.5, 0.5]\nsizes = ["64x64"]\n[mask]\nkey = 0\nchannel = 2\nvalues = "classes"\n[depth]\nkey = 1\n'
)


class Tuple(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.scores, self.depth = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.scores(x), torch.sigmoid(self.depth(x))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], Path]:
    """A network saved as ``.pt2`` or ``.onnx``, its description beside it."""

    def save(ending: str) -> Path:
        network, x = Tuple().eval(), torch.rand(1, 3, 64, 64)
        if ending == ".pt2":
            torch.export.save(torch.export.export(network, (x,)), tmp_path / "net.pt2")
        else:
            pytest.importorskip("onnx2torch", reason="needs onnx2torch: the extra portraiture[own]")
            torch.onnx.export(network, (x,), str(tmp_path / "net.onnx"), dynamo=False, opset_version=17)
        (tmp_path / "net.toml").write_text(TABLE)
        return tmp_path / f"net{ending}"

    return save


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("ending", [".pt2", ".onnx"])
def test_a_file_stands_for_code(saved: Callable[[str], Path], ending: str) -> None:
    rgb = torch.rand(1, 3, 64, 64)
    networks = Networks(Checkpoints(own=str(saved(ending))))
    scores, depth = Tuple()(rgb - 0.5)
    with torch.no_grad():
        for dtype, tolerance in ((torch.float32, 1e-6), (torch.float64, 1e-6)):
            found = networks.get("perception", dtype=dtype)(rgb.to(dtype))
            torch.testing.assert_close(found["mask"].float(), torch.softmax(scores, 1)[:, 2:3], rtol=0, atol=tolerance)
            torch.testing.assert_close(found["depth"].float(), depth, rtol=0, atol=tolerance)
    assert networks.own_sizes == (Size(64, 64),)
    assert networks.own_digest() == Networks(Checkpoints(own=str(saved(ending)))).own_digest()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "net.toml: expected the description of the network beside it, found no file"),
        ("mask = 3\n", "expected tables"),
        ("[mask]\ncolour = 3\n", "expected tables"),
        ("[masks]\nkey = 0\n", "a table of another name"),
        ("[mask\n", "TOMLDecodeError"),
        ("mean = [0, 0, 0]\n", "expected mask, depth or both"),
    ],
)
def test_a_description_that_is_wrong_or_lacking_is_one_line(
    saved: Callable[[str], Path], table: str | None, message: str
) -> None:
    path = saved(".pt2")
    described = path.with_suffix(".toml")
    described.unlink() if table is None else described.write_text(table)
    with pytest.raises(InputError, match=message) as caught:
        load_own(str(path))
    assert "\n" not in str(caught.value)


def test_a_size_that_it_does_not_take_is_told(source: Callable[[str], str]) -> None:
    with pytest.raises(InputError, match="expected an input of 64x96, found 64x64; give one of them as --size"):
        Networks(Checkpoints(own=source("fixed"))).get("perception")(torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize("model", ["coarse", "segmentation_spn", "depth_spn"])
def test_parts_of_our_network_are_not_of_another(source: Callable[[str], str], model: str) -> None:
    with pytest.raises(OptionError, match=f"found {model}, which is a part of our own network"):
        Networks(Checkpoints(own=source("both"))).get(model)


def spec_of(own: str, *targets: Target, **options: Any) -> BundleSpec:
    return BundleSpec(
        **{"models": ("perception",), "precisions": (Precision.FP32,), **options},
        targets=targets,
        sizes=(Size(64, 64),),
        checkpoints=Checkpoints(own=own),
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_every_target_is_written_and_proven(source: Callable[[str], str], tmp_path: Path) -> None:
    own = source("both")
    spec = spec_of(own, *BUILT_IN, precisions=(Precision.FP32, Precision.FP16))
    export = export_bundle(spec, tmp_path / "bundle")
    assert len(export.files) == 6
    again = run_parity(tmp_path / "bundle", (), Truth(Networks(Checkpoints(own=own))))
    assert {row.status for row in again} <= {Status.PASSED, Status.NOT_RUN}
    assert sum(row.status is Status.PASSED for row in again) > 24
    with pytest.raises(InputError, match="exported from other perception weights"):
        run_parity(tmp_path / "bundle")
    with pytest.raises(InputError, match="exported from another network or other weights than --network"):
        run_parity(tmp_path / "bundle", (), Truth(Networks(Checkpoints(own=source("mask_alone")))))


SMALL = (Precision.INT8, Precision.INT8_STATIC, Precision.PALETTIZED)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_small_files_are_written_and_proven(
    source: Callable[[str], str], tmp_path: Path, astronaut: np.ndarray
) -> None:
    (tmp_path / "photos").mkdir()
    write_photo(tmp_path / "photos/astronaut.png", astronaut)
    photos = calibration_photos(tmp_path / "photos")
    spec = spec_of(source("wide"), *BUILT_IN, precisions=(Precision.FP16, *SMALL), calibration=photos)
    export = export_bundle(spec, tmp_path / "bundle")
    assert {row.status for row in export.rows} <= {Status.PASSED, Status.NOT_RUN}
    found = {(f.target, f.precision): bytes_of(tmp_path / "bundle" / f.path) for f in export.files}
    assert {p for _, p in found} == {Precision.FP16, *SMALL}
    for (target, precision), size in found.items():
        assert size < 0.9 * found[target, Precision.FP16] or precision is Precision.FP16, (target, precision)


@pytest.mark.filterwarnings("default")
def test_weights_that_do_not_bear_int8_are_told_so(
    source: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tolerances, "_SMALL_MASK", Tolerance("nothing is that near", min_psnr_db=150.0, min_iou=1.0))
    spec = spec_of(source("wide"), Target.ONNX, precisions=(Precision.INT8,))
    told = r"found max error [\d.e-]+, PSNR [\d.]+ dB, IoU [01]\.\d{3}; these weights may not bear int8: export --prec"
    with pytest.raises(GateError, match=told):
        export_bundle(spec, tmp_path / "bundle", gate=False)


@pytest.mark.filterwarnings("default")
def test_a_file_of_another_network_is_caught(
    source: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portraiture.export.networks import own as own_module

    honest = own_module.OwnPerception.forward

    def wrong(self: OwnPerception, rgb: Tensor) -> Any:  # a converter that loses 1 % of the mask, in float32 alone
        maps = honest(self, rgb)
        return maps if rgb.dtype is torch.float64 else maps._replace(mask=0.99 * maps.mask)

    monkeypatch.setattr(own_module.OwnPerception, "forward", wrong)
    with pytest.raises(GateError, match=r"perception_64x64_fp32\.onnx: mask"):
        export_bundle(spec_of(source("both"), Target.ONNX), tmp_path / "bundle", gate=False)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("with_fft", Target.COREML, r"fft_rfft2 at perception.network, of shape \(1, 8, 32, 17\) .*; write it as conv"),
        ("with_fft", Target.ONNX, r"fft_rfft2 at perception.network, of shape \(1, 8, 32, 17\) .*; write it as conv"),
        ("with_grid", Target.COREML, "resample at .*network is not built into our interpreter of coreml"),
    ],
)
def test_what_a_target_does_not_take_is_named(
    source: Callable[[str], str], tmp_path: Path, name: str, target: Target, message: str
) -> None:
    with pytest.raises((ExportError, GateError), match=message) as caught:
        export_bundle(spec_of(source(name), target), tmp_path / "bundle", gate=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.filterwarnings("default")
def test_what_phones_run_slowly_is_told(source: Callable[[str], str], tmp_path: Path) -> None:
    said: list[str] = []
    spec = spec_of(source("with_roll"), Target.COREML)
    export_bundle(spec, tmp_path / "bundle", gate=False, report=lambda line, *_: said.append(line))
    remark, device = [line for line in said if line.startswith("doctor:")]
    assert "1 gather, the first at network.perception.network" in remark
    assert "runs alone on the CPU" in remark
    assert " on ane: " in device
    assert "unsupported operation: gather at network.perception.network" in device


def test_commands_run_it(source: Callable[[str], str], tmp_path: Path, astronaut: np.ndarray) -> None:
    import cv2
    from click.testing import CliRunner

    from portraiture.tools.cli import group

    cv2.imwrite("me.jpg", astronaut[..., ::-1])
    for args in (
        ("predict", "me.jpg", "-o", "maps", "--network", source("both")),
        ("render", "me.jpg", "-o", "me.png", "--network", source("both"), "--anyway"),
    ):
        result = CliRunner().invoke(group, args, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    depth = np.load("maps/me_depth.npy")
    assert depth.shape == (512, 512)
    assert not Path("maps/me_coarse_depth.npy").exists()
    assert Path("me.png").exists()
    result = CliRunner().invoke(
        group, ("evaluate", "filter", "--dataset", "ccp", "--root", ".", "--network", source("both"))
    )
    assert isinstance(result.exception, OptionError)
    assert "expected evaluate segmentation, depth, ground, crowd or matte" in str(result.exception)
