"""``render --video``: the frames of a film one after the other, in parts, so that a stopped run goes on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from portraiture.export.pipeline.sequence import Sequence
from portraiture.reference.errors import InputError
from portraiture.reference.files import new_file, write_json
from portraiture.reference.presence import nearest_depth
from portraiture.tools.portraits import Look, is_person_there
from portraiture.tools.progress import bar, note
from portraiture.tools.video_file import check_sound, frames, join, open_video, write_part

if TYPE_CHECKING:
    from portraiture.export.pipeline.maps import Maps
    from portraiture.export.pipeline.pipeline import Pipeline

PART = 48
"""Frames of a part: what a stopped run loses at most. Chosen."""

FADE = 1 / 12
"""Of the aperture, by which the blur goes in each frame of nobody, and comes back; chosen, 0.4 s at 30 frames."""


def _folder(output: Path, job: dict[str, Any]) -> Path:
    """The folder of the parts, beside the output; of another job it is begun anew."""
    folder = output.with_name(f".{output.name}.parts")
    file = folder / "job.json"
    if folder.exists() and (not file.is_file() or json.loads(file.read_text()) != json.loads(json.dumps(job))):
        note(f"{folder}: found parts of another run; begun anew")
        shutil.rmtree(folder)
    if not folder.exists():
        folder.mkdir(parents=True)
        write_json(file, job)
    return folder


def render_video(
    source: Path,
    output: Path,
    pipeline: "Pipeline",
    draw: "Callable[[np.ndarray, Maps, Look], np.ndarray]",
    aperture: float,
    anyway: bool,
    steady: bool,
    location: bool,
    asked: dict[str, Any],
) -> None:
    """Render a film to a file, which appears whole.

    Args:
        source: the film.
        output: ``.mp4``, ``.mov`` or ``.mkv``.
        pipeline: gives the maps.
        draw: the renderer.
        aperture: largest disk radius as a share of the diagonal.
        anyway: keep the nearest depth sharp where nobody is; else the blur fades out there.
        steady: steady maps and focus over time.
        location: keep where it was taken.
        asked: all options, by which a stopped run is known again.

    Raises:
        InputError: no film, or nobody in it.
        OptionError: the output cannot hold it.
    """
    film = open_video(source)
    with film:
        check_sound(film, output.suffix.lower())
        base = film.streams.video[0].time_base
        state = source.stat()
        folder = _folder(output, {"size": state.st_size, "changed": state.st_mtime_ns, **asked})
        sequence, strength, people, skip, held = Sequence(pipeline, steady), 0.0, 0, 0, None
        done: list[tuple[Path, int]] = []
        while (saved := folder / f"{len(done):05d}.npz").is_file():
            with np.load(saved) as found:
                values = {k: found[k] for k in found.files}
            done.append((folder / f"{len(done):05d}.mp4", int(values.pop("start"))))
            strength, people, skip = float(values.pop("strength")), int(values.pop("people")), int(values.pop("frames"))
            sequence.state = values
        pictures: list[np.ndarray] = []
        times: list[int] = []
        count = 0

        def end_part() -> None:
            k = len(done)
            write_part(folder / f"{k:05d}.mp4", pictures, times, base, held)
            with new_file(folder / f"{k:05d}.npz") as temporary, temporary.open("wb") as file:
                saved_state: dict[str, Any] = {**sequence.state, "start": times[0], "strength": strength}
                np.savez(file, **saved_state, people=people, frames=count)
            done.append((folder / f"{k:05d}.mp4", times[0]))
            pictures.clear()
            times.clear()

        with bar(film.streams.video[0].frames or 0, "frame", source.name, skip) as progress:
            for rgb, frame in frames(film, source):
                count += 1
                if count <= skip:
                    continue
                maps = sequence.perceive(rgb)
                there = is_person_there(maps, False)
                people, held = people + there, frame
                step = FADE if there or anyway else -FADE
                strength = float(np.clip(strength + step, 0, 1)) if count > 1 else float(there or anyway)
                focus = nearest_depth(maps.model_depth) if anyway and not there else None
                lit = strength > 0 and (there or focus is not None or float(maps.model_mask.sum()) > 0)
                pictures.append(draw(rgb, maps, Look(aperture * strength, focus)) if lit else rgb)
                times.append(int(frame.pts))
                progress.update()
                if len(pictures) == PART:
                    end_part()
            if pictures:
                end_part()
    if not done or (not people and not anyway):
        shutil.rmtree(folder)
        if done:
            raise InputError(f"{source}: expected a person, found none in any frame; render it with --anyway")
        raise InputError(f"{source}: expected frames, found none; export it again")
    if people < count:
        there_is = "the nearest depth stays sharp" if anyway else "the blur fades out"
        note(f"{source}: {count - people} of {count} frames show nobody; {there_is} there")
    with new_file(output) as temporary:
        join(done, source, base, temporary, output.suffix.lower()[1:], location)
    shutil.rmtree(folder)
