"""Images at a program's boundary, and compressed weights, run from converted files."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from portraiture.export.mil.interpreter import MilProgram, Precision
from portraiture.export.mil.package import ColourSpace, ImageFeature
from portraiture.export.quiet import quiet

FP32_ATOL = 1e-5
"""float32 against float64 over a few operations on values near 1."""


@pytest.mark.parametrize("colour", ["RGB", "BGR"])
def test_images_in_and_out(tmp_path, colour):
    weights = torch.tensor([0.5, 0.3, 0.1])  # unequal, so that swapped channels show
    if colour == "BGR":
        weights = weights.flip(0)

    class Luma(nn.Module):
        def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
            luma = (rgb * weights.reshape(1, 3, 1, 1)).sum(1, keepdim=True)
            return luma, rgb * 300.0 - 20.0

    path = tmp_path / "image.mlpackage"
    with quiet():
        import coremltools as ct

        layout = getattr(ct.colorlayout, colour)
        traced = torch.jit.trace(Luma(), torch.rand(1, 3, 6, 4), check_trace=False)
        ct.convert(
            traced,
            convert_to="mlprogram",
            minimum_deployment_target=ct.target.iOS17,
            compute_precision=ct.precision.FLOAT32,
            inputs=[ct.ImageType(name="rgb", shape=(1, 3, 6, 4), scale=1 / 255, color_layout=layout)],
            outputs=[
                ct.ImageType(name="luma", color_layout=ct.colorlayout.GRAYSCALE_FLOAT16),
                ct.ImageType(name="copy", color_layout=layout),
            ],
            skip_model_load=True,
        ).save(str(path))
    program = MilProgram.load(path, Precision.FLOAT32)
    image = program.inputs["rgb"]
    assert isinstance(image, ImageFeature)
    assert (image.colour, image.height, image.width) == (ColourSpace[colour], 6, 4)
    photo = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    found = program.run({"rgb": photo})
    expected = (photo / 255.0) @ np.array([0.5, 0.3, 0.1])
    np.testing.assert_allclose(found["luma"], expected, rtol=0, atol=FP32_ATOL)
    assert found["copy"].dtype == np.uint8
    copy = np.clip(photo / 255.0 * 300.0 - 20.0, 0, 255)
    assert np.abs(found["copy"] - copy).max() <= 0.5 + 1e-3
    swapped = program.run({"rgb": np.ascontiguousarray(photo[..., ::-1])})["luma"]
    assert np.abs(swapped - expected).max() > 0.05  # negative control: the order of channels matters


@pytest.mark.parametrize(
    ("target", "kind", "operation"),
    [
        ("iOS17", "int8", "constexpr_affine_dequantize"),
        ("iOS17", "palette4", "constexpr_lut_to_dense"),
        ("iOS18", "int4", "constexpr_blockwise_shift_scale"),
        ("iOS18", "palette6", "constexpr_lut_to_dense"),
        ("iOS17", "pruned", "constexpr_sparse_to_dense"),
    ],
)
def test_compressed_weights_are_those_coremltools_decodes(tmp_path, target, kind, operation):
    torch.manual_seed(3)
    linear = nn.Linear(64, 33, bias=False).eval()
    path = tmp_path / "compressed.mlpackage"
    with quiet():
        import coremltools as ct
        import coremltools.optimize.coreml as cto

        traced = torch.jit.trace(linear, torch.rand(1, 64), check_trace=False)
        model = ct.convert(
            traced,
            convert_to="mlprogram",
            minimum_deployment_target=ct.target[target],
            compute_precision=ct.precision.FLOAT32,
            inputs=[ct.TensorType(name="x", shape=(1, 64))],
            outputs=[ct.TensorType(name="y")],
            skip_model_load=True,
        )
        if kind.startswith("int"):
            granularity = {"granularity": "per_block", "block_size": 16} if kind == "int4" else {}
            method = cto.OpLinearQuantizerConfig(
                mode="linear_symmetric", dtype=kind, weight_threshold=16, **granularity
            )
            model = cto.linear_quantize_weights(model, cto.OptimizationConfig(method))
        elif kind.startswith("palette"):
            method = cto.OpPalettizerConfig(mode="uniform", nbits=int(kind[-1]), weight_threshold=16)
            model = cto.palettize_weights(model, cto.OptimizationConfig(method))
        else:
            method = cto.OpMagnitudePrunerConfig(target_sparsity=0.5, weight_threshold=16)
            model = cto.prune_weights(model, cto.OptimizationConfig(method))
        model.save(str(path))
        plain = cto.decompress_weights(model)
        plain.save(str(tmp_path / "plain.mlpackage"))
    feed = {"x": np.random.default_rng(0).random((1, 64), np.float32)}
    program = MilProgram.load(path)
    assert operation in program.op_counts()
    expected = MilProgram.load(tmp_path / "plain.mlpackage").run(feed)["y"]
    np.testing.assert_allclose(program.run(feed)["y"], expected, rtol=0, atol=FP32_ATOL)
    with torch.no_grad():
        original = linear(torch.from_numpy(feed["x"])).numpy()
    assert 1e-6 < np.abs(expected - original).max() < 1.0  # compressed, yet the same layer
