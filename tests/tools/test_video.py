"""``render --video``: every frame at its time, the sound as it was, a stopped run goes on, bad input in one line."""

from fractions import Fraction
from pathlib import Path

import click
import cv2
import numpy as np
import pytest

from portraiture.reference.errors import InputError, PortraitureError
from portraiture.tools.cli import group

av = pytest.importorskip("av")

TIMES = (0, 3, 6, 10, 17)
"""Of the frames, in hundredths of a second: no even rate."""


def film(path: Path, pictures: list[np.ndarray]) -> Path:
    """A film of pictures at ``TIMES``, with sound."""
    with av.open(str(path), "w") as out:
        video, sound = out.add_stream("libx264", rate=30, options={"crf": "10"}), out.add_stream("aac", rate=16000)
        video.height, video.width, video.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        video.codec_context.time_base = Fraction(1, 100)
        for time, picture in zip(TIMES, pictures, strict=False):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 100)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        tone = (np.sin(np.arange(4096) / 5) * 0.3).astype(np.float32)[None]
        audio = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        audio.rate, audio.pts = 16000, 0
        out.mux(sound.encode(audio))
        out.mux(sound.encode())
    return path


@pytest.fixture(scope="module")
def pan(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = np.asarray(cv2.resize(astronaut, (180, 180), interpolation=cv2.INTER_AREA))
    pictures = [np.ascontiguousarray(small[:160, 2 * k : 2 * k + 128]) for k in range(len(TIMES))]
    return film(tmp_path_factory.mktemp("film") / "in.mp4", pictures)


def render(*arguments: object) -> None:
    group.main(["render", *map(str, arguments)], prog_name="portraiture", standalone_mode=False)


def packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as opened:
        return [bytes(p) for p in opened.demux(getattr(opened.streams, kind)[0]) if p.size]


def pictures_of(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with av.open(str(path)) as opened:
        found = [(f.time, f.to_ndarray(format="rgb24")) for f in opened.decode(video=0)]
    return [t for t, _ in found], [p for _, p in found]


@pytest.mark.slow
def test_times_and_sound_stay_and_a_stopped_run_goes_on(
    pan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portraiture.tools import video

    monkeypatch.setattr(video, "PART", 2)
    out = tmp_path / "out.mp4"
    render("--video", pan, "-o", out)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
    times, whole = pictures_of(out)
    np.testing.assert_allclose(times, np.array(TIMES) / 100, atol=1e-6)
    assert packets(out, "audio") == packets(pan, "audio")
    before = pictures_of(pan)[1]
    assert np.abs(whole[0].astype(int) - before[0]).mean() > 0.5  # it was blurred
    honest, calls = video.frames, []

    def stopped(*given: object) -> object:
        for k, frame in enumerate(honest(*given)):
            calls.append(k)
            if k == 3 and len(calls) == 4:
                raise KeyboardInterrupt
            yield frame

    monkeypatch.setattr(video, "frames", stopped)
    other = tmp_path / "other.mp4"
    with pytest.raises((KeyboardInterrupt, click.exceptions.Abort)):
        render("--video", pan, "-o", other)
    assert not other.exists()
    assert (tmp_path / ".other.mp4.parts/00000.mp4").is_file()
    render("--video", pan, "-o", other)
    again = pictures_of(other)
    assert again[0] == times
    assert all(np.array_equal(a, b) for a, b in zip(again[1], whole, strict=True))


def test_frames_of_nobody_do_not_stop_the_film(pan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = pictures_of(pan)[1][:2]
    source = film(tmp_path / "leaves.mp4", [*people, *[np.full_like(people[0], 90)] * 3])
    render("--video", source, "-o", tmp_path / "out.mp4")
    assert "3 of 5 frames show nobody" in capsys.readouterr().err
    assert len(pictures_of(tmp_path / "out.mp4")[1]) == 5
    empty = film(tmp_path / "empty.mp4", [np.full_like(people[0], 90)] * 2)
    with pytest.raises(InputError, match="expected a person, found none in any frame; render it with --anyway"):
        render("--video", empty, "-o", tmp_path / "no.mp4")
    assert not list(tmp_path.glob("*no.mp4*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--video", "none.mp4", "-o", "o.mp4"), "no such file"),
        (("--video", "text.mp4", "-o", "o.mp4"), "another kind"),
        (("--video", "in.mp4", "-o", "o.gif"), "name it so"),
        (("me.jpg", "--video", "in.mp4", "-o", "o.mp4"), "found both"),
        (("-o", "o.png"), "found none"),
        (("--video", "in.mp4", "-o", "o.mp4", "--focus", "1,2"), "--focus: expected photos"),
        (("--video", "in.mp4", "-o", "o.mp4", "--write-depth"), "--write-depth: expected photos"),
    ],
)
def test_bad_input_is_one_line(
    pan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "in.mp4").symlink_to(pan)
    with pytest.raises(PortraitureError, match=message) as refused:
        render(*arguments)
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.glob("*o.*"))
