"""Films as files, by PyAV: frames upright with their times, and parts that are joined with the film's own sound."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from portraiture.reference.errors import InputError, OptionError

SUFFIXES = (".mp4", ".mov", ".mkv")

PLACES = ("location", "com.apple.quicktime.location")
"""Beginnings of the names of tags that say where a film was taken."""

QUALITY = {"crf": "18", "preset": "veryfast", "bf": "0"}
"""Of x264: no loss that is seen. Without B frames parts join at any frame."""


def require_av() -> Any:
    """PyAV.

    Raises:
        OptionError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise OptionError("--video: expected PyAV, found none; pip install 'portraiture[video]'") from None
    return av


def open_video(path: Path) -> Any:
    """A film's container; whoever opens it closes it.

    Raises:
        InputError: no film.
    """
    av = require_av()
    if not path.is_file():
        raise InputError(f"{path}: expected a video, found no such file; check the path")
    try:
        found = av.open(str(path))
    except (av.FFmpegError, OSError):
        raise InputError(f"{path}: expected a video, found a file of another kind; export it as MP4 or MOV") from None
    if not found.streams.video:
        found.close()
        raise InputError(f"{path}: expected a video, found no pictures in it; name another file")
    return found


def _matrix(frame: Any) -> str:
    """The matrix of a frame's colours: what the file says, or what players take where it says nothing."""
    named = {1: "itu709", 5: "itu601", 6: "itu601", 7: "smpte240m"}
    return named.get(int(frame.colorspace), "itu709" if frame.height >= 720 else "itu601")


def frames(container: Any, path: Path) -> Iterator[tuple[np.ndarray, Any]]:
    """Each frame upright, HxWx3 uint8 of even sides, and as it was decoded.

    Args:
        container: of :func:`open_video`.
        path: for messages.

    Raises:
        InputError: the file is damaged.
    """
    av = require_av()
    try:
        for frame in container.decode(container.streams.video[0]):
            rgb = frame.to_ndarray(format="rgb24", src_colorspace=_matrix(frame))
            rgb = np.rot90(rgb, round(frame.rotation / 90) % 4)
            height, width = (side // 2 * 2 for side in rgb.shape[:2])
            yield np.ascontiguousarray(rgb[:height, :width]), frame
    except av.FFmpegError as error:
        raise InputError(f"{path}: expected a whole video, found damage ({error}); export it again") from None


def write_part(path: Path, pictures: list[np.ndarray], times: list[int], base: Fraction, like: Any) -> None:
    """A part of a film, without sound.

    Args:
        path: an ``.mp4`` file.
        pictures: HxWx3 uint8 each.
        times: of each picture, in units of ``base``.
        base: seconds of one unit.
        like: a decoded frame, whose colours the part has.
    """
    av = require_av()
    with av.open(str(path), "w", options={"video_track_timescale": str(base.denominator)}) as out:
        stream = out.add_stream("libx264", rate=30, options=QUALITY)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, base.denominator)
        context.color_range, context.colorspace = like.color_range, like.colorspace
        context.color_primaries, context.color_trc = like.color_primaries, like.color_trc
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(
                format="yuv420p", dst_colorspace=_matrix(like), dst_color_range=like.color_range or 1
            )
            frame.pts, frame.time_base = (time - times[0]) * base.numerator, context.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


def check_sound(source: Any, suffix: str) -> None:
    """Refuse sound that the output's kind of file cannot hold.

    Args:
        source: the film's container.
        suffix: of the output.

    Raises:
        OptionError: another ending, or such sound.
    """
    if suffix not in SUFFIXES:
        raise OptionError(
            f"-o: expected a file with one of {', '.join(SUFFIXES)}, found {suffix or 'none'}; name it so"
        )
    for stream in source.streams.audio:
        if suffix == ".mp4" and stream.codec_context.name.startswith("pcm"):
            raise OptionError(f"-o: expected sound that .mp4 holds, found {stream.codec_context.name}; write a .mov")


def join(parts: list[tuple[Path, int]], source: Path, base: Fraction, path: Path, kind: str, location: bool) -> None:
    """The film: its parts one after the other, with the source's sound and tags.

    Args:
        parts: each with the time of its first frame, in units of ``base``.
        source: the film that they were made of.
        base: seconds of one unit.
        path: file to write.
        kind: such as ``mp4``.
        location: keep where it was taken.
    """
    av = require_av()
    form = {"mkv": "matroska"}.get(kind, kind)
    settings = {} if kind == "mkv" else {"movflags": "+faststart+use_metadata_tags"}
    with av.open(str(path), "w", format=form, options=settings) as out, open_video(source) as film:
        tags = {k: v for k, v in film.metadata.items() if location or not k.startswith(PLACES)}
        out.metadata.update(tags)
        with av.open(str(parts[0][0])) as first:
            video = out.add_stream_from_template(first.streams.video[0])
        sound = {s.index: out.add_stream_from_template(s) for s in film.streams.audio}
        packets = (p for p in film.demux(list(film.streams.audio)) if p.dts is not None) if sound else iter(())
        waiting = next(packets, None)
        for part, start in parts:
            with av.open(str(part)) as opened:
                for packet in opened.demux(opened.streams.video[0]):
                    if packet.dts is None:
                        continue
                    moved = round(start * base / packet.time_base)
                    packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
                    now = packet.dts * packet.time_base
                    while waiting is not None and waiting.dts * waiting.time_base <= now:
                        waiting.stream = sound[waiting.stream.index]
                        out.mux(waiting)
                        waiting = next(packets, None)
                    packet.stream = video
                    out.mux(packet)
        while waiting is not None:
            waiting.stream = sound[waiting.stream.index]
            out.mux(waiting)
            waiting = next(packets, None)
