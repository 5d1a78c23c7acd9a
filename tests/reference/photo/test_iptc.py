"""IPTC as a portrait carries it, written dataset by dataset."""

import pytest

from portraiture.reference.photo.iptc import portrait_iptc


def dataset(record, number, text):
    return bytes((0x1C, record, number)) + len(text).to_bytes(2, "big") + text


UTF8, AUTHOR, CAPTION = dataset(1, 90, b"\x1b%G"), dataset(2, 80, b"author"), dataset(2, 120, b"caption")
CITY, COUNTRY = dataset(2, 90, b"Munich"), dataset(2, 101, b"Germany")
PREVIEW, SIZE = dataset(2, 202, b"jpeg"), dataset(3, 20, b"\x10\0")


@pytest.mark.parametrize("location", [True, False])
def test_what_stays_and_what_goes(location):
    found = portrait_iptc(UTF8 + AUTHOR + CITY + PREVIEW + COUNTRY + CAPTION + SIZE, location)
    assert found == UTF8 + AUTHOR + (CITY + COUNTRY if location else b"") + CAPTION


@pytest.mark.parametrize("damage", [b"\x1c\x02\x50\xff\xff", b"\x1c\x02\x50\x7f\xffshort", b"\0\0\0", b"\x1c\x02"])
def test_what_follows_a_damaged_dataset_is_dropped(damage):
    assert portrait_iptc(AUTHOR + damage + CAPTION, True) == AUTHOR
