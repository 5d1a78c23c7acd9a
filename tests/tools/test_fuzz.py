"""Damaged photos of every kind: an image, or one line; never a traceback, 10 s or 2 GiB. ``make fuzz`` reads 10,000."""

import random
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portraiture.reference.errors import LONGEST_MESSAGE, InputError
from portraiture.reference.photo.embedded import embedded_maps
from portraiture.tools.torture import fuzz
from portraiture.tools.torture.photo_damage import blocks, damaged_photo
from portraiture.tools.torture.photo_files import PHOTOS, sound_photo
from portraiture.tools.torture.photo_reading import read_fully
from portraiture.tools.torture.readers import WHOLE_PHOTOS
from portraiture.tools.torture.workers import HANG_S, MOST_BYTES

pytestmark = pytest.mark.slow


@contextmanager
def little_memory() -> Iterator[None]:
    """Address space of 2 GiB more than now."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + MOST_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("kind", PHOTOS)
def test_a_sound_photo_is_read_and_its_depth_where_it_has_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    path.write_bytes(sound_photo(kind))
    assert read_fully(path) is any(word in kind for word in ("depth", "portrait"))
    if kind == "portrait.heic":
        found = embedded_maps(sound_photo(kind))
        assert found is not None
        assert found.matte is not None


@given(kind=st.sampled_from(sorted(PHOTOS)), rng=st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
def test_a_damaged_photo_is_an_image_or_one_line(tmp_path: Path, kind: str, rng: random.Random) -> None:
    path = tmp_path / kind
    path.write_bytes(damaged_photo(sound_photo(kind), [sound_photo(other) for other in PHOTOS], rng))
    began, line = time.monotonic(), None
    with little_memory():
        try:
            read_fully(path)
        except InputError as error:
            line = str(error)
    assert time.monotonic() - began < HANG_S
    assert line is None or (";" in line and "\n" not in line and len(line) <= LONGEST_MESSAGE), line


def test_damage_reaches_the_blocks_of_each_kind_that_has_some() -> None:
    for kind in PHOTOS:
        data = sound_photo(kind)
        found = blocks(data)
        assert (len(found) > 2) is (not kind.endswith((".tif", ".bmp"))), kind
        assert all(0 <= start < end <= len(data) for start, end in found)
    data, others = sound_photo("photo.jpg"), [sound_photo("portrait.heic")]
    variants = {damaged_photo(data, others, random.Random(k)) for k in range(100)}
    assert len(variants) > 90
    assert damaged_photo(data, others, random.Random(1)) == damaged_photo(data, others, random.Random(1))


def test_every_kind_is_fuzzed(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(WHOLE_PHOTOS) == set(PHOTOS)
    assert fuzz.main(["--variants", "2", "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "fuzz: 2 of 2 variants read, 0 faults" in out
    assert "whole portrait.heic" in out
