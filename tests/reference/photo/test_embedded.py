"""Depths and mattes in a photo's file: read by each format's own rule, upright, and never a traceback."""

import base64
import hashlib
import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from portraiture.reference.lens.metres import LOG_DEPTH_SLOPE, depth_of_inverse, inverse_of_depth
from portraiture.reference.photo.apple_depth import DEPTH_URN, HAIR_URN, PORTRAIT_URN
from portraiture.reference.photo.apple_write import made_auxiliary
from portraiture.reference.photo.embedded import embedded_maps, holds_maps
from portraiture.reference.photo.iso_items import items_of

CODES = np.linspace(0, 255, 24 * 32).reshape(24, 32).astype(np.uint8)
"""Grows to the right and downwards, so that each orientation differs."""

V = CODES / 255
GRAY = np.full((48, 64, 3), 128, np.uint8)
RDF = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{}</rdf:RDF></x:xmpmeta>'
STANDARD, EXTENDED = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
HALF = {"rtol": 0, "atol": 0.02}


def png(codes=CODES):
    file = io.BytesIO()
    Image.fromarray(codes).save(file, "PNG")
    return file.getvalue()


def jpeg(*app1, orientation=1, pixels=GRAY):
    """A JPEG with segments APP1 after its start."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(file, "JPEG", quality=95, exif=exif.tobytes())
    data = file.getvalue()
    parts = [b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content for content in app1]
    return data[:2] + b"".join(parts) + data[2:]


def gdepth(kind="RangeInverse", near=0.5, far=8.0, encoded=None, **more):
    data = base64.b64encode(png() if encoded is None else encoded).decode()
    said = {"Format": kind, "Near": near, "Far": far, "Mime": "image/png", "Data": data, **more}
    attributes = " ".join(f'GDepth:{name}="{value}"' for name, value in said.items())
    space = 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"'
    return RDF.format(f'<rdf:Description rdf:about="" {space} {attributes}/>').encode()


def of_distance(z):
    return depth_of_inverse(1 / z, (1 / z.max(), 1 / z.min()))


def test_gdepth_range_inverse():
    found = embedded_maps(jpeg(STANDARD + gdepth()))
    np.testing.assert_allclose(found.inverse, (1 - V) / 0.5 + V / 8, rtol=1e-5)
    assert found.span == pytest.approx((1 / 8, 2))
    assert "GDepth" in str(found)
    assert "32x24" in str(found)


def test_gdepth_range_linear_and_millimetres():
    found = embedded_maps(jpeg(STANDARD + gdepth("RangeLinear", 500, 8000, Units="mm")))
    np.testing.assert_allclose(1 / found.inverse, 0.5 + 7.5 * V, rtol=1e-5)


def test_a_depth_is_what_the_network_would_give_farther_is_larger():
    z = 0.5 + 7.5 * V
    depth = of_distance(z)
    assert np.all(np.diff(depth.ravel()) >= 0)
    np.testing.assert_allclose(depth, 1 / (1 + (2 / z) ** LOG_DEPTH_SLOPE), rtol=1e-9)  # 2 m is 0.5
    np.testing.assert_allclose(depth_of_inverse(inverse_of_depth(depth), (0.125, 2)), depth, atol=1e-9)


def test_numbers_that_are_no_metres_and_a_disparity_below_zero_spread_over_the_range():
    for inverse, span in (((1 - V) / 29.3 + V / 878.7, (1 / 878.7, 1 / 29.3)), (1.8 - 2.0 * V, (-0.2, 1.8))):
        depth = depth_of_inverse(inverse, span)
        assert np.isfinite(depth).all()
        assert depth.min() < 0.3
        assert depth.max() > 0.7
        assert np.all(np.diff(depth.ravel()) >= 0)


def test_a_depth_in_extended_xmp_is_joined_whatever_the_order_of_its_parts():
    extended = gdepth()
    guid = hashlib.md5(extended).hexdigest().upper().encode()
    note = RDF.format(
        '<rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmlns:G="http://ns.google.com/photos/1.0/depthmap/"'
        f' G:Format="RangeInverse" xmpNote:HasExtendedXMP="{guid.decode()}"/>'
    ).encode()
    parts = [EXTENDED + guid + struct.pack(">II", len(extended), at) + extended[at : at + 300]
             for at in range(0, len(extended), 300)]  # fmt: skip
    found = embedded_maps(jpeg(STANDARD + note, *reversed(parts)))
    np.testing.assert_allclose(found.inverse, (1 - V) / 0.5 + V / 8, rtol=1e-5)
    assert embedded_maps(jpeg(STANDARD + note, *parts[1:])) is None  # a part is missing


ATTRIBUTES = """<rdf:Description xmlns:Device="http://ns.google.com/photos/dd/1.0/device/"
 xmlns:Container="http://ns.google.com/photos/dd/1.0/container/" xmlns:Item="http://ns.google.com/photos/dd/1.0/item/"
 xmlns:Camera="http://ns.google.com/photos/dd/1.0/camera/" xmlns:DepthMap="http://ns.google.com/photos/dd/1.0/depthmap/">
 <Device:Container><Container:Directory><rdf:Seq>
 <rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Length="0" Item:DataURI="p"/></rdf:li>
 <rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Length="{other}"/></rdf:li>
 <rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/png" Item:Length="{own}" Item:DataURI="d"/></rdf:li>
 </rdf:Seq></Container:Directory></Device:Container>
 <Device:Cameras><rdf:Seq><rdf:li rdf:parseType="Resource">
 <Device:Camera><Camera:DepthMap DepthMap:Near="0.5"
 DepthMap:Far="8" DepthMap:Format="RangeInverse" DepthMap:DepthURI="d"/></Device:Camera>
 </rdf:li></rdf:Seq></Device:Cameras>
</rdf:Description>"""

ELEMENTS = """<rdf:Description xmlns:C="http://ns.google.com/photos/1.0/container/"
 xmlns:I="http://ns.google.com/photos/1.0/container/item/" xmlns:D="http://ns.google.com/photos/dd/1.0/depthmap/">
 <C:Directory><rdf:Seq><rdf:li rdf:parseType="Resource">
 <C:Item rdf:parseType="Resource"><I:Semantic>Primary</I:Semantic>
 <I:Mime>image/jpeg</I:Mime></C:Item></rdf:li><rdf:li rdf:parseType="Resource"><C:Item rdf:parseType="Resource">
 <I:Semantic>GainMap</I:Semantic><I:Length>{other}</I:Length></C:Item></rdf:li><rdf:li rdf:parseType="Resource">
 <C:Item rdf:parseType="Resource"><I:Semantic>Depth</I:Semantic><I:Length>{own}</I:Length></C:Item></rdf:li></rdf:Seq>
 </C:Directory><D:Near>0.5</D:Near><D:Far>8</D:Far><D:Format>RangeInverse</D:Format></rdf:Description>"""


@pytest.mark.parametrize("form", [ATTRIBUTES, ELEMENTS])
@pytest.mark.parametrize(("gap", "trailer"), [(b"", b""), (b"", b"maker's own"), (b"not listed", b"")])
def test_dynamic_depth_names_one_of_several_pictures(form, gap, trailer):
    """Behind all that is listed, or before it, some phones write what they do not list."""
    other, own = jpeg(), png()
    xmp = RDF.format(form.format(other=len(other), own=len(own))).encode()
    found = embedded_maps(jpeg(STANDARD + xmp) + gap + other + own + trailer)
    np.testing.assert_allclose(found.inverse, (1 - V) / 0.5 + V / 8, rtol=1e-5)
    assert "Dynamic Depth" in str(found)


def stored(upright, orientation):
    """A map as a camera in this orientation stores it (EXIF 2.32, 4.6.4 A)."""
    rows = upright[::-1] if orientation in (3, 4, 7, 8) else upright
    flipped = rows[:, ::-1] if orientation in (2, 3, 6, 7) else rows
    return np.ascontiguousarray(flipped.swapaxes(0, 1) if orientation > 4 else flipped)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpegs_depth_is_turned_as_the_photo_is(orientation):
    found = embedded_maps(jpeg(STANDARD + gdepth(encoded=png(stored(CODES, orientation))), orientation=orientation))
    np.testing.assert_allclose(found.inverse, (1 - V) / 0.5 + V / 8, rtol=1e-5)


APPLE = """<rdf:Description xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/">
<apdi:AuxiliaryImageType>{kind}</apdi:AuxiliaryImageType><apdi:FloatMinValue>{low}</apdi:FloatMinValue>
<apdi:FloatMaxValue>{high}</apdi:FloatMaxValue></rdf:Description>"""


def apple(*pictures, orientation=1, turned=False, kind="disparity", low=0.125, high=2.0, tile=0, side=GRAY):
    """A HEIC portrait as phones write it, or with auxiliary pictures that are not turned by themselves."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    further = []
    for urn, codes in pictures:
        picture = pillow_heif.from_pillow(Image.fromarray(codes))[0]
        if urn == DEPTH_URN:
            picture.info["xmp"] = RDF.format(APPLE.format(kind=kind, low=low, high=high)).encode()
        if turned:
            picture.info["exif"] = exif.tobytes()
        further.append(picture)
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(side)).save(
        file, tile_size=tile, quality=95, append_images=further, primary_index=0, exif=exif.tobytes()
    )
    return made_auxiliary(file.getvalue(), [urn for urn, _ in pictures])


def test_apples_disparity_is_larger_where_it_is_nearer():
    found = embedded_maps(apple((DEPTH_URN, CODES)))
    np.testing.assert_allclose(found.inverse, 0.125 + 1.875 * V, **HALF)
    assert found.span == (0.125, 2.0)
    assert found.matte is None


def test_apples_distances_and_a_depth_without_a_range():
    found = embedded_maps(apple((DEPTH_URN, CODES), kind="depth", low=0.5, high=8))
    np.testing.assert_allclose(1 / found.inverse, 0.5 + 7.5 * V, rtol=0, atol=0.1)
    found = embedded_maps(apple((DEPTH_URN, CODES), low="nan", high=1))
    assert np.all(np.isfinite(found.inverse))
    assert found.inverse[-1, -1] > found.inverse[0, 0]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_heics_depth_and_matte_are_turned_as_the_photo_is(orientation, turned):
    codes = stored(CODES, orientation)
    found = embedded_maps(apple((DEPTH_URN, codes), (PORTRAIT_URN, codes), orientation=orientation, turned=turned))
    np.testing.assert_allclose(found.inverse, 0.125 + 1.875 * V, **HALF)
    np.testing.assert_allclose(found.matte, V, **HALF)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photo_in_tiles_has_them_as_well(orientation):
    """So Apple's phones write it."""
    photo, codes = np.full((150, 200, 3), 90, np.uint8), stored(CODES, orientation)
    data = apple((DEPTH_URN, codes), (PORTRAIT_URN, codes), orientation=orientation, tile=64, side=photo)
    items = items_of(data)
    assert items.kinds[items.primary] == b"grid"
    found = embedded_maps(data)
    np.testing.assert_allclose(found.inverse, 0.125 + 1.875 * V, **HALF)
    np.testing.assert_allclose(found.matte, V, **HALF)
    with pillow_heif.open_heif(io.BytesIO(data)).to_pillow() as seen:
        np.testing.assert_allclose(np.asarray(seen).astype(int), 90, rtol=0, atol=3)


def test_hair_counts_at_the_portrait_alone():
    matte, hair = np.zeros((96, 128), np.uint8), np.zeros((96, 128), np.uint8)
    matte[40:90, 40:80] = 255
    hair[36:44, 40:80] = 200  # above the head
    hair[40:50, 110:120] = 255  # of somebody else
    found = embedded_maps(apple((DEPTH_URN, CODES), (PORTRAIT_URN, matte), (HAIR_URN, hair)))
    assert found.matte[39, 60] > 0.7
    assert found.matte[45, 115] < 0.05
    assert found.matte[60, 60] > 0.95


def test_a_matte_without_a_depth_and_photos_without_either():
    found = embedded_maps(apple((PORTRAIT_URN, CODES)))
    assert found.inverse is None
    assert found.matte is not None
    assert embedded_maps(jpeg()) is None
    assert not holds_maps(jpeg())


def test_a_damaged_depth_is_none_and_never_another_error():
    for data in (jpeg(STANDARD + gdepth()), apple((DEPTH_URN, CODES), (PORTRAIT_URN, CODES))):
        rng, found = np.random.default_rng(0), []
        for _ in range(60):
            harmed = bytearray(data)
            for place in rng.integers(0, len(harmed), 20):
                harmed[place] = rng.integers(256)
            found.append(embedded_maps(bytes(harmed)))
        assert None in found
