"""Photos from any camera, and files that are none. All files are written here."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from portraiture.reference.errors import InputError
from portraiture.reference.photo.maps import read_map
from portraiture.reference.photo.read import read_photo
from portraiture.reference.photo.write import write_npy, write_photo

SIZE = (24, 32)  # H, W
NOISE = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)


@pytest.fixture
def rgb():
    """Smooth, so that JPEG keeps it, and different in every corner and channel."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(float)
    return np.stack([x * 7, y * 9, 255 - x * 3 - y * 4], axis=2).round().astype(np.uint8)


def save(image, path, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_plain_formats(rgb, tmp_path, suffix):
    options = {"webp": {"lossless": True}, "jpg": {"quality": 100, "subsampling": 0}}.get(suffix, {})
    found = read_photo(save(Image.fromarray(rgb), tmp_path / f"a.{suffix}", **options))
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, rgb, atol=3 if suffix == "jpg" else 0)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kind", ["rgb", "gray", "rgba"])
def test_16_bits_are_rounded_not_cut(tmp_path, suffix, kind):
    rng = np.random.default_rng(0)
    channels = {"rgb": 3, "gray": 1, "rgba": 4}[kind]
    deep = rng.integers(0, 65536, (*SIZE, channels)).astype(np.uint16)
    path = tmp_path / f"deep.{suffix}"
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    assert cv2.imwrite(str(path), deep[..., order].squeeze())
    values = deep / 65535
    expected = values[..., :3] if kind != "rgba" else values[..., :3] * values[..., 3:] + 1 - values[..., 3:]
    expected = np.broadcast_to(np.rint(expected * 255), (*SIZE, 3))
    found = read_photo(path).astype(int)
    assert np.abs(found - expected).max() <= (1 if kind == "rgba" else 0)
    assert (found != expected).mean() < 0.001


def test_gray_palette_and_bilevel(rgb, tmp_path):
    gray = Image.fromarray(rgb).convert("L")
    expected = np.repeat(np.asarray(gray)[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_photo(save(gray, tmp_path / "g.png")), expected)
    palette = Image.fromarray(rgb).quantize(256)
    np.testing.assert_array_equal(read_photo(save(palette, tmp_path / "p.png")), np.asarray(palette.convert("RGB")))
    bilevel = gray.convert("1")
    assert set(np.unique(read_photo(save(bilevel, tmp_path / "1.png")))) == {0, 255}


@pytest.mark.parametrize("profile", [False, True])
def test_transparency_is_composited_on_white(rgb, tmp_path, profile):
    alpha = np.zeros(SIZE, np.uint8)
    alpha[:, 16:] = 255
    alpha[0] = 128
    rgba = Image.fromarray(np.dstack([rgb, alpha]))
    icc = {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()} if profile else {}
    found = read_photo(save(rgba, tmp_path / "a.png", **icc)).astype(float)
    share = alpha[..., None] / 255
    np.testing.assert_allclose(found, rgb * share + 255 * (1 - share), atol=1)


def test_a_transparent_palette_is_composited_on_white(tmp_path):
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 200, 10, 10])
    image.paste(0, (0, 0, 20, 10))
    found = read_photo(save(image, tmp_path / "p.png", transparency=0))
    assert (found[:10] == 255).all()
    assert (found[10:] == (200, 10, 10)).all()


def test_cmyk_jpeg(rgb, tmp_path):
    cmyk = Image.fromarray(rgb).convert("CMYK")
    found = read_photo(save(cmyk, tmp_path / "c.jpg", quality=100, subsampling=0))
    np.testing.assert_allclose(found, np.asarray(cmyk.convert("RGB")), atol=4)


def renamed(profile):
    """A profile that calls itself swap where it called itself sRGB."""
    return profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def swapped_profile():
    """sRGB with its red and green primaries swapped, under the name of sRGB: what it does is seen at once."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    tags = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red + 4 : red + 12], profile[green + 4 : green + 12] = (
        profile[green + 4 : green + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


@pytest.mark.parametrize("name", [renamed, bytes])
def test_a_profile_is_converted_to_srgb_whatever_its_name(rgb, tmp_path, name):
    path = save(Image.fromarray(rgb), tmp_path / "w.png", icc_profile=name(swapped_profile()))
    np.testing.assert_allclose(read_photo(path), rgb[..., [1, 0, 2]], atol=3)


@pytest.mark.parametrize("profile", [b"not a profile", b""])
def test_a_broken_profile_is_ignored(rgb, tmp_path, profile):
    path = save(Image.fromarray(rgb), tmp_path / "b.png", icc_profile=profile)
    np.testing.assert_array_equal(read_photo(path), rgb)


@pytest.mark.parametrize("name", [renamed, bytes])
def test_an_srgb_profile_changes_nothing_whatever_its_name(rgb, tmp_path, name):
    icc = name(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    np.testing.assert_array_equal(read_photo(save(Image.fromarray(rgb), tmp_path / "s.png", icc_profile=icc)), rgb)


def test_a_profile_that_moves_colours_by_rounding_alone_changes_nothing(rgb, tmp_path):
    """As profiles of other makers do that are sRGB: red's X is larger by 1 in 1,000."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = next(k for k in range(132, 132 + 12 * profile[131], 12) if profile[k : k + 4] == b"rXYZ")
    (place,) = struct.unpack(">I", profile[at + 4 : at + 8])
    (red_x,) = struct.unpack(">i", profile[place + 8 : place + 12])
    profile[place + 8 : place + 12] = struct.pack(">i", red_x + red_x // 1000)
    image, own = Image.fromarray(rgb), ImageCms.ImageCmsProfile(io.BytesIO(bytes(profile)))
    moved = np.asarray(ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB")))
    assert np.abs(moved.astype(int) - rgb).max() == 1, "a reader that converts would change the photo"
    path = save(image, tmp_path / "n.png", icc_profile=bytes(profile))
    np.testing.assert_array_equal(read_photo(path), rgb)


def encoded(rgb, suffix, **options):
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, suffix, **options)
    return buffer.getvalue()


def deep_png(rgb):
    return cv2.imencode(".png", rgb.astype(np.uint16) * 257)[1].tobytes()


@pytest.mark.parametrize(("name", "content", "message"), [
    ("text.jpg", lambda rgb: b"Dear photographer,", "found another content"),
    ("empty.jpg", lambda rgb: b"", "found another content"),
    ("film.gif", lambda rgb: encoded(rgb, "GIF"), "found another content"),
    ("cut.jpg", lambda rgb: encoded(rgb, "JPEG")[:-300], "found a damaged file"),
    ("cut.png", lambda rgb: encoded(NOISE, "PNG")[:-200], "found a damaged file"),
    ("cut16.png", lambda rgb: deep_png(NOISE)[:-200], "found a damaged file"),
    ("cut.tif", lambda rgb: encoded(NOISE, "TIFF", compression="tiff_lzw")[:-300], "expected a"),
    ("cut.webp", lambda rgb: encoded(NOISE, "WEBP", lossless=True)[:-300], "expected a"),
    ("one.png", lambda rgb: encoded(rgb[:1, :1], "PNG"), "expected 16x16 pixels or more, found 1x1"),
    ("thin.png", lambda rgb: encoded(rgb[:15], "PNG"), "expected 16x16 pixels or more, found 32x15"),
])  # fmt: skip
def test_bad_files_raise_one_line(rgb, tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content(rgb))
    with pytest.raises(InputError, match=message) as caught:
        read_photo(path)
    assert str(caught.value).startswith(str(path))
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)


def huge_png(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    ihdr = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + ihdr + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


@pytest.mark.parametrize("size", [(20_000, 10_001), (100_000, 100_000)])
def test_above_200_megapixels_is_refused_by_its_header(tmp_path, size):
    (tmp_path / "huge.png").write_bytes(huge_png(*size))
    with pytest.raises(InputError, match="expected at most 200 megapixels"):
        read_photo(tmp_path / "huge.png")


def test_missing_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(InputError, match="found a folder"):
        read_photo(tmp_path)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_npy_map(tmp_path, dtype):
    depth = np.random.default_rng(0).random(SIZE).astype(dtype)
    write_npy(tmp_path / "d.npy", depth)
    found = read_map(tmp_path / "d.npy", SIZE)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, depth)


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65535)])
def test_png_map(tmp_path, dtype, peak):
    codes = np.random.default_rng(0).integers(0, peak + 1, SIZE).astype(dtype)
    assert cv2.imwrite(str(tmp_path / "m.png"), codes)
    np.testing.assert_array_equal(read_map(tmp_path / "m.png", SIZE), codes / peak)


@pytest.mark.parametrize(("name", "array", "message"), [
    ("d.npy", np.full(SIZE, np.nan), "finite"), ("d.npy", np.full(SIZE, 1.5), "0..1"),
    ("d.npy", np.full(SIZE, np.inf), "finite"), ("d.npy", np.zeros((3, 4)), "expected the photo's shape"),
    ("d.npy", np.zeros(SIZE, int), "expected float32"), ("d.npy", np.array([{}]), "without objects"),
    ("m.png", np.zeros((*SIZE, 3), np.uint8), "3 channels"), ("m.png", None, "another content"),
    ("d.npy", None, "another content"),
])  # fmt: skip
def test_bad_maps_raise_one_line(tmp_path, name, array, message):
    path = tmp_path / name
    if array is None:
        path.write_bytes(b"PK\x03\x04 not a map")
    elif name == "d.npy":
        np.save(path, array, allow_pickle=True)
    else:
        assert cv2.imwrite(str(path), array)
    with pytest.raises(InputError, match=message) as caught:
        read_map(path, SIZE)
    assert "\n" not in str(caught.value)


def test_an_archive_is_no_map(tmp_path):
    with (tmp_path / "d.npy").open("wb") as file:
        np.savez(file, a=np.zeros(SIZE))
    with pytest.raises(InputError, match="another content"):
        read_map(tmp_path / "d.npy", SIZE)


@pytest.mark.parametrize("gray", [False, True])
def test_a_png_reads_back_and_leaves_no_rest(rgb, tmp_path, gray):
    image = rgb[..., 0] if gray else rgb
    write_photo(tmp_path / "o.png", image)
    write_photo(tmp_path / "o.png", image)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "o.png")), image)
    assert [p.name for p in tmp_path.iterdir()] == ["o.png"]


def test_a_jpeg_is_near_and_keeps_its_colours(tmp_path):
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, ::2] = (250, 20, 30)  # with halved colour resolution the columns would mix
    for name in ("o.jpg", "o.JPEG"):
        write_photo(tmp_path / name, image)
        assert (tmp_path / name).read_bytes().startswith(b"\xff\xd8")
        assert np.abs(read_photo(tmp_path / name).astype(int) - image).max() < 30
    with pytest.raises(InputError, match=r"\.png, \.jpg, \.jpeg"):
        write_photo(tmp_path / "o.bmp", image)


def test_write_errors(rgb, tmp_path):
    with pytest.raises(InputError, match="HxWx3 or HxW picture of 8 or 16 bits"):
        write_photo(tmp_path / "o.png", rgb / 255)
    with pytest.raises(InputError, match="expected to write here"):
        write_photo(tmp_path / "none" / "o.png", rgb)
    write_photo(tmp_path / "o.png", rgb)
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npy(tmp_path / "o.png", np.array([{}]))
    np.testing.assert_array_equal(read_photo(tmp_path / "o.png"), rgb)  # the old file stands
    assert [p.name for p in tmp_path.iterdir()] == ["o.png"]


@pytest.mark.parametrize(
    ("shape", "kind"),
    [((0, 4, 3), np.uint8), ((4, 0), np.uint8), ((4,), np.uint8), ((), np.uint8), ((4, 4, 1), np.uint8),
     ((4, 4, 4), np.uint8), ((4, 4, 3, 3), np.uint8), ((4, 4, 3, 1), np.uint8), ((4, 4), np.uint32), ((4, 4), bool)],
)  # fmt: skip
def test_what_is_no_picture_of_8_or_16_bits_is_not_written(tmp_path, shape, kind):
    with pytest.raises(
        InputError, match=rf"expected an HxWx3 or HxW picture of 8 or 16 bits, found {np.dtype(kind)} of"
    ):
        write_photo(tmp_path / "o.png", np.zeros(shape, kind))
    assert list(tmp_path.iterdir()) == []
