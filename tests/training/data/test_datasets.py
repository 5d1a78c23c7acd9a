"""Dataset layouts, labels and the cache, on small files that the tests write."""

import contextlib
import re
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from scipy.io import savemat

from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.photo.read import read_photo
from portraiture.training.data import cache as data_cache
from portraiture.training.data.cache import (
    cached,
    photo_only,
    photo_with_depth,
    photo_with_mask,
)
from portraiture.training.data.datasets import Split, list_samples, split_of
from portraiture.training.data.depth_order import MIN_LEVEL, MIN_RATIO, draw_point_pairs, read_diw
from portraiture.training.data.labels import mask_size, read_depth, read_mask
from portraiture.training.data.layouts import Sample
from portraiture.training.data.nyu import BORDER_PX
from portraiture.training.evaluation.predict import read_photo_and_mask

H, W = 40, 32
COUNT = 20


def photo(seed: int, height: int = H, width: int = W) -> np.ndarray:
    """A smooth random photo (H, W, 3) uint8 RGB, so that JPEG keeps it."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))


def write_photo(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 100])


def write_grey(path: Path, grey: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), grey)


def write_mat(path: Path, name: str, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {name: labels}, do_compression=True)


def labels_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, (H, W), dtype=np.uint8)


def shen2016(root: Path, count: int = COUNT) -> None:
    for k in range(count):
        write_photo(root / f"images_data_crop/{k:05d}.jpg", photo(k))
        write_mat(root / f"images_mask/{k:05d}_mask.mat", "mask", (labels_of(k) > 0).astype(np.uint8))


def ccp(root: Path, count: int = COUNT) -> None:
    for k in range(count):
        write_photo(root / f"photos/{k:04d}.jpg", photo(k))
        write_mat(root / f"pixel-level/{k:04d}.mat", "groundtruth", labels_of(k))


def nyu(root: Path, count: int = COUNT) -> None:
    for k in range(count):
        write_photo(root / f"nyu_images/{k}.jpg", photo(k))
        write_grey(root / f"nyu_depths/{k}.png", labels_of(k) * 80)


def folder(root: Path, count: int = COUNT) -> None:
    for k in range(count):
        write_photo(root / f"images/p{k:03d}.jpg", photo(k))
        write_grey(root / f"masks/p{k:03d}.png", np.where(labels_of(k) > 0, 255, 0).astype(np.uint8))


def baidu(root: Path, count: int = COUNT) -> None:
    for k in range(count):
        write_photo(root / f"images/{k:06d}.jpg", photo(k))
        profile = np.where(labels_of(k) > 0, 255, 0).astype(np.uint8)
        write_photo(root / f"profiles/{k:06d}-profile.jpg", np.dstack([profile] * 3))


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "shen2016": shen2016,
    "ccp": ccp,
    "nyu": nyu,
    "folder": folder,
    "baidu": baidu,
}
PHOTOS = {
    "shen2016": "images_data_crop",
    "ccp": "photos",
    "nyu": "nyu_images",
    "folder": "images",
    "baidu": "images",
}
LABELS = {"shen2016": "images_mask", "ccp": "pixel-level", "nyu": "nyu_depths", "folder": "masks", "baidu": "profiles"}
MASK_SETS = ("shen2016", "ccp", "folder", "baidu")


def refused(action: Callable[[], object], match: str | None = None) -> None:
    with pytest.raises(InputError, match=match) as error:
        action()
    assert str(error.value)
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------- layouts


@pytest.mark.parametrize("dataset", WRITERS)
def test_lists_pairs_and_holds_out_the_last_15_percent(tmp_path: Path, dataset: str) -> None:
    WRITERS[dataset](tmp_path, COUNT)
    samples = list_samples(dataset, tmp_path)
    assert len(samples) == COUNT
    numbers = [int(re.sub(r"\D", "", s.id)) for s in samples]
    assert numbers == list(range(COUNT))  # nyu by number: 2 before 10
    for s in samples:
        assert s.photo.is_file()
        assert s.label.is_file()
        assert s.label.stem.removesuffix("_mask").removesuffix("-profile") == s.photo.stem == s.id
    train = list_samples(dataset, tmp_path, Split.TRAIN)
    validation = list_samples(dataset, tmp_path, Split.VALIDATION)
    assert train == samples[:17]
    assert validation == samples[17:]


@pytest.mark.parametrize("n", [1, 2, 6, 7, 19, 20, 100, 480, 1285])
def test_split_has_no_overlap_and_no_gap(n: int) -> None:
    samples = [Sample(str(k), Path(f"{k}.jpg"), Path(f"{k}.png")) for k in range(n)]
    train, validation = split_of(samples, Split.TRAIN), split_of(samples, Split.VALIDATION)
    assert train + validation == samples == split_of(samples, Split.ALL)
    assert len(train) == n * 85 // 100
    assert validation


@pytest.mark.parametrize("dataset", WRITERS)
def test_a_missing_folder_is_named(tmp_path: Path, dataset: str) -> None:
    refused(lambda: list_samples(dataset, tmp_path), rf"{dataset}.*{PHOTOS[dataset]}.*--root")
    refused(lambda: list_samples(dataset, tmp_path / "none"), PHOTOS[dataset])


@pytest.mark.parametrize("dataset", WRITERS)
def test_an_empty_folder_is_an_error(tmp_path: Path, dataset: str) -> None:
    (tmp_path / PHOTOS[dataset]).mkdir()
    (tmp_path / LABELS[dataset]).mkdir()
    refused(lambda: list_samples(dataset, tmp_path), f"{dataset}: expected photos, found none")


@pytest.mark.parametrize("dataset", WRITERS)
def test_a_missing_label_is_named(tmp_path: Path, dataset: str) -> None:
    WRITERS[dataset](tmp_path, 5)
    gone = list_samples(dataset, tmp_path)[3].label
    gone.unlink()
    refused(lambda: list_samples(dataset, tmp_path), f"1 photos have no label.*{re.escape(gone.name)}")


def test_a_nyu_photo_whose_name_is_no_number_is_an_input_error(tmp_path: Path) -> None:
    nyu(tmp_path, 3)
    write_photo(tmp_path / "nyu_images/preview.jpg", photo(1))
    refused(lambda: list_samples("nyu", tmp_path), "preview")


def test_an_unknown_dataset_lists_the_valid_ones(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="shen2016, ccp, baidu, folder, nyu"):
        list_samples("coco", tmp_path)


def test_folder_pairs_any_suffix_by_stem(tmp_path: Path) -> None:
    write_photo(tmp_path / "images/b.png", photo(0))
    write_photo(tmp_path / "images/a.jpg", photo(1))
    write_grey(tmp_path / "masks/a.bmp", np.full((H, W), 255, np.uint8))
    write_mat(tmp_path / "masks/b.mat", "m", labels_of(0))
    found = [(s.id, s.photo.name, s.label.name) for s in list_samples("folder", tmp_path)]
    assert found == [("a", "a.jpg", "a.bmp"), ("b", "b.png", "b.mat")]


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize("dataset", MASK_SETS)
def test_masks_are_the_labels_above_zero(tmp_path: Path, dataset: str) -> None:
    WRITERS[dataset](tmp_path, 2)
    for k, sample in enumerate(list_samples(dataset, tmp_path)):
        mask = read_mask(sample.label)
        assert mask.dtype == bool
        assert np.array_equal(mask, labels_of(k) > 0)


def test_an_image_mask_is_cut_at_half(tmp_path: Path) -> None:
    write_grey(tmp_path / "m.png", np.array([[0, 127, 128, 255]], np.uint8))
    assert read_mask(tmp_path / "m.png").tolist() == [[False, False, True, True]]


def mat_bytes(tmp_path: Path, compressed: bool) -> bytes:
    savemat(tmp_path / "whole.mat", {"m": labels_of(0)}, do_compression=compressed)
    return (tmp_path / "whole.mat").read_bytes()


MAT_7_3 = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" + bytes(500)
DAMAGED: dict[str, Callable[[bytes, bytes], bytes]] = {
    "empty": lambda whole, plain: b"",
    "text": lambda whole, plain: b"no matrix here " * 20,
    "short-header": lambda whole, plain: whole[:60],
    "header-only": lambda whole, plain: whole[:128],
    "truncated": lambda whole, plain: whole[: len(whole) // 2],
    "truncated-uncompressed": lambda whole, plain: plain[: len(plain) // 2],
    "broken-stream": lambda whole, plain: whole[:150] + bytes(len(whole) - 150),
    "matlab-7.3": lambda whole, plain: MAT_7_3,
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_mat_file_is_an_input_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "m.mat"
    path.write_bytes(DAMAGED[damage](mat_bytes(tmp_path, True), mat_bytes(tmp_path, False)))
    refused(lambda: read_mask(path), r"m\.mat")


@pytest.mark.parametrize(
    "arrays", [{"a": np.eye(3), "b": np.eye(3)}, {"a": np.zeros((2, 3, 4))}], ids=["two-arrays", "three-dimensions"]
)
def test_a_mat_file_of_another_form_is_an_input_error(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    savemat(tmp_path / "m.mat", arrays)
    refused(lambda: read_mask(tmp_path / "m.mat"), "expected one HxW array")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_the_size_of_a_mask_is_that_of_what_is_read(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.new("L", (40, 24), 255).save(tmp_path / f"m.{suffix}", exif=exif)
    assert mask_size(tmp_path / f"m.{suffix}") == read_mask(tmp_path / f"m.{suffix}").shape


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)], ids=["empty", "text", "torn"]
)
@pytest.mark.parametrize("reader", [read_photo, read_mask, mask_size, read_depth])
def test_an_undecodable_image_is_an_input_error(
    tmp_path: Path, reader: Callable[[Path], object], content: bytes
) -> None:
    (tmp_path / "x.png").write_bytes(content)
    refused(lambda: reader(tmp_path / "x.png"), r"x\.png")


def test_rgb_is_in_the_order_red_green_blue(tmp_path: Path) -> None:
    rgb = np.zeros((16, 20, 3), np.uint8)
    rgb[..., 0], rgb[..., 2] = 200, 30
    write_photo(tmp_path / "x.png", rgb)
    assert np.array_equal(read_photo(tmp_path / "x.png"), rgb)


def test_depth_is_float_in_the_units_of_the_file(tmp_path: Path) -> None:
    write_grey(tmp_path / "d.png", np.array([[0, 7, 255]], np.uint8))
    found = read_depth(tmp_path / "d.png")
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 7, 255]]
    write_grey(tmp_path / "d16.png", np.array([[0, 300, 65535]], np.uint16))
    assert read_depth(tmp_path / "d16.png").tolist() == [[0, 300, 65535]]
    write_photo(tmp_path / "colour.png", photo(0))
    refused(lambda: read_depth(tmp_path / "colour.png"), "grey depth")


# ---------------------------------------------------------------- decoded pairs


def test_mask_pair_is_rgb_and_soft_mask(tmp_path: Path) -> None:
    rgb = photo(1)
    mask = np.zeros((H, W), np.uint8)
    mask[:, : W // 2 + 1] = 255
    write_photo(tmp_path / "x.png", rgb)
    write_grey(tmp_path / "m.png", mask)
    pair = photo_with_mask(Sample("x", tmp_path / "x.png", tmp_path / "m.png"), H // 2, W // 2)
    assert pair.shape == (H // 2, W // 2, 4)
    assert pair.dtype == np.uint8
    blocks = rgb.reshape(H // 2, 2, W // 2, 2, 3).mean((1, 3))
    assert np.abs(pair[..., :3] - blocks).max() <= 0.5 + 1e-6
    assert (pair[:, : W // 4, 3] == 255).all()
    assert (abs(pair[:, W // 4, 3].astype(int) - 127.5) <= 1).all()  # a pixel half covered
    assert (pair[:, W // 4 + 1 :, 3] == 0).all()


def test_depth_pair_cuts_the_border_and_never_blends_levels(tmp_path: Path) -> None:
    b = BORDER_PX
    height, width = 2 * b + 20, 2 * b + 30
    rgb, level = np.full((height, width, 3), 255, np.uint8), np.zeros((height, width), np.uint8)
    rgb[b:-b, b:-b] = 10
    level[b:-b, b:-b] = np.where(np.arange(30) < 15, 40, 200)
    write_photo(tmp_path / "x.png", rgb)
    write_grey(tmp_path / "d.png", level)
    pair = photo_with_depth(Sample("x", tmp_path / "x.png", tmp_path / "d.png"), 10, 15)
    assert pair.shape == (10, 15, 4)
    assert (pair[..., :3] == 10).all()  # nothing of the white border
    assert set(np.unique(pair[..., 3])) == {40, 200}


def test_depth_of_16_bit_does_not_wrap_around(tmp_path: Path) -> None:
    """Either refused, or in order: 300 may not come out as 44, nearer than 200."""
    level = np.full((H, W), 200, np.uint16)
    level[:, W // 2 :] = 300
    write_photo(tmp_path / "x.png", photo(2))
    write_grey(tmp_path / "d.png", level)
    with contextlib.suppress(InputError):
        pair = photo_with_depth(Sample("x", tmp_path / "x.png", tmp_path / "d.png"), 8, 8)
        assert int(pair[0, 7, 3]) > int(pair[0, 0, 3])


def test_photo_only_is_the_photo(tmp_path: Path) -> None:
    write_photo(tmp_path / "x.png", photo(3))
    found = photo_only(Sample("x", tmp_path / "x.png", tmp_path / "x.png"), H, W)
    assert np.array_equal(found, photo(3))


def swapped_profile() -> bytes:
    """An ICC profile whose red is sRGB's green, and the other way round."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack(">I", profile[128:132])
    entries = {bytes(profile[at : at + 4]): at + 4 for at in range(132, 132 + 12 * count, 12)}
    red, green = (slice(entries[name], entries[name] + 8) for name in (b"rXYZ", b"gXYZ"))
    profile[red], profile[green] = profile[green], profile[red]
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_photos_are_decoded_as_the_product_decodes_them(tmp_path: Path) -> None:
    """Stored red of a profile that swaps red and green is green."""
    stored = Image.fromarray(np.full((H, W, 3), (200, 40, 40), np.uint8))
    stored.save(tmp_path / "x.png", icc_profile=swapped_profile())
    write_grey(tmp_path / "m.png", np.full((H, W), 255, np.uint8))
    sample = Sample("x", tmp_path / "x.png", tmp_path / "m.png")
    expected = read_photo(tmp_path / "x.png")
    assert expected[..., 1].min() > 150 > 100 > expected[..., 0].max()
    for found in (
        photo_only(sample, H, W),
        photo_with_mask(sample, H, W)[..., :3],
        read_photo_and_mask(sample)[0],
    ):
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("decode", [photo_with_mask, photo_with_depth])
def test_a_label_of_another_size_is_an_input_error(
    tmp_path: Path, decode: Callable[[Sample, int, int], np.ndarray]
) -> None:
    write_photo(tmp_path / "x.png", photo(4))
    write_grey(tmp_path / "l.png", np.full((H, W + 1), 200, np.uint8))
    refused(
        lambda: decode(Sample("x", tmp_path / "x.png", tmp_path / "l.png"), 8, 8),
        r"l\.png: expected 40x32 .* found 40x33",
    )


# ---------------------------------------------------------------- cache


def counted(calls: list[str]) -> Callable[[Sample, int, int], np.ndarray]:
    def decode(sample: Sample, height: int, width: int) -> np.ndarray:
        calls.append(sample.id)
        return photo_with_mask(sample, height, width)

    return decode


def test_the_cache_decodes_once_and_anew_when_list_or_size_changes(tmp_path: Path) -> None:
    folder(tmp_path, 4)
    samples, cache = list_samples("folder", tmp_path), tmp_path / "cache"
    calls: list[str] = []
    decode = counted(calls)

    first = cached(samples, decode, 10, 8, cache)
    assert set(calls) == {s.id for s in samples}
    assert first.shape == (4, 10, 8, 4)
    assert first.dtype == np.uint8
    for k, sample in enumerate(samples):
        assert np.array_equal(first[k], photo_with_mask(sample, 10, 8))
    assert not first.flags.writeable

    calls.clear()
    assert np.array_equal(cached(samples, decode, 10, 8, cache), first)
    assert calls == []
    assert len(list(cache.iterdir())) == 1  # and no temporary file

    fewer = cached(samples[1:], decode, 10, 8, cache)
    assert set(calls) == {s.id for s in samples[1:]}
    assert np.array_equal(fewer, first[1:])

    calls.clear()
    turned = cached(samples[::-1], decode, 10, 8, cache)
    assert calls
    assert np.array_equal(turned, first[::-1])

    calls.clear()
    assert cached(samples, decode, 12, 8, cache).shape == (4, 12, 8, 4)
    assert calls
    assert len(list(cache.iterdir())) == 4


def test_a_new_version_of_the_decoders_decodes_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, 2)
    samples, calls = list_samples("folder", tmp_path), list[str]()
    cached(samples, counted(calls), 10, 8, tmp_path / "cache")
    monkeypatch.setattr(data_cache, "DECODER_VERSION", data_cache.DECODER_VERSION + 1)
    calls.clear()
    cached(samples, counted(calls), 10, 8, tmp_path / "cache")
    assert set(calls) == {s.id for s in samples}


def test_another_decoder_has_a_cache_of_its_own(tmp_path: Path) -> None:
    folder(tmp_path, 2)
    samples = list_samples("folder", tmp_path)
    assert cached(samples, photo_with_mask, 10, 8, tmp_path / "cache").shape == (2, 10, 8, 4)
    assert cached(samples, photo_only, 10, 8, tmp_path / "cache").shape == (2, 10, 8, 3)


def test_a_failed_decode_leaves_no_cache_and_no_temporary_file(tmp_path: Path) -> None:
    folder(tmp_path, 3)
    samples = list_samples("folder", tmp_path)
    samples[2].photo.write_bytes(b"torn")
    refused(lambda: cached(samples, photo_with_mask, 10, 8, tmp_path / "cache"), "expected a JPEG")
    assert list((tmp_path / "cache").iterdir()) == []
    write_photo(samples[2].photo, photo(2))
    assert cached(samples, photo_with_mask, 10, 8, tmp_path / "cache").shape == (3, 10, 8, 4)


def test_an_empty_list_is_an_input_error(tmp_path: Path) -> None:
    """What a set of one photo gives for training: the one is held out."""
    refused(lambda: cached([], photo_with_mask, 10, 8, tmp_path / "cache"))


# ---------------------------------------------------------------- ordinal pairs


def test_sampled_pairs_are_known_far_enough_apart_and_signed() -> None:
    level = np.random.default_rng(0).integers(0, 40, (20, 30)).astype(np.uint8)
    pairs = draw_point_pairs(level, 2000, np.random.default_rng(1))
    a, b = level.ravel()[pairs.a].astype(float), level.ravel()[pairs.b].astype(float)
    assert 0 < len(a) < 2000
    assert (np.minimum(a, b) >= MIN_LEVEL).all()
    assert (np.maximum(a, b) > MIN_RATIO * np.minimum(a, b)).all()
    assert np.array_equal(pairs.relation, np.sign(a - b))
    again = draw_point_pairs(level, 2000, np.random.default_rng(1))
    assert np.array_equal(again.a, pairs.a)


def test_no_pair_comes_from_unknown_depth() -> None:
    assert len(draw_point_pairs(np.zeros((5, 5)), 100, np.random.default_rng(0)).a) == 0


def test_diw_records_are_read_0_based(tmp_path: Path) -> None:
    text = "./DIW_test/a.thumb\n120,30,4,200,>,320,240\n./DIW_test/b.thumb\n1,1,240,320,<,320,240\n"
    (tmp_path / "DIW_test.csv").write_text(text)
    first, second = read_diw(tmp_path / "DIW_test.csv")
    assert (first.a, first.b, first.relation, first.size) == ((119, 29), (3, 199), 1, (240, 320))
    assert first.photo == tmp_path / "DIW_test" / "a.thumb"
    assert (second.a, second.b, second.relation) == ((0, 0), (239, 319), -1)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("./a.thumb\n", "two lines per record, found 1"),
        ("./a.thumb\n1,1,2,2,=,320,240\n", "line 1"),
        ("./a.thumb\n1,1,2,2,>,320,240\n./b.thumb\n1,1,2,>,320,240\n", "line 3"),
        ("./a.thumb\n1,x,2,2,>,320,240\n", "line 1"),
        ("./a.thumb\n\n", "line 1"),
    ],
)
def test_a_malformed_diw_file_is_an_input_error(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "DIW_test.csv").write_text(text)
    refused(lambda: read_diw(tmp_path / "DIW_test.csv"), match)


def test_a_missing_diw_file_is_an_input_error(tmp_path: Path) -> None:
    refused(lambda: read_diw(tmp_path / "DIW_test.csv"), "--root")


# ---------------------------------------------------------------- the real sets


@pytest.mark.parametrize("dataset", ["shen2016", "ccp", "nyu"])
def test_the_real_sets_list_and_decode(data_root: Path, dataset: str) -> None:
    root = data_root / dataset
    if not root.is_dir():
        pytest.skip(f"{dataset} is not in {data_root}")
    samples = list_samples(dataset, root)
    train, validation = (list_samples(dataset, root, s) for s in (Split.TRAIN, Split.VALIDATION))
    assert len(samples) == len(train) + len(validation)
    assert len(train) > len(validation) > 0
    for sample in (samples[0], samples[-1]):
        rgb = read_photo(sample.photo)
        if dataset == "nyu":
            depth = read_depth(sample.label)
            assert depth.shape == rgb.shape[:2]
            assert float(depth.max()) > MIN_LEVEL
            assert float(depth.max()) <= 255
        else:
            mask = read_mask(sample.label)
            assert mask.shape == rgb.shape[:2]
            assert 0.02 < mask.mean() < 0.98
