"""Rendered samples of a public-domain photo: what ``make bundle`` leaves to look at."""

import subprocess
import sys
from pathlib import Path

from portraiture.export.sample_photo import sample_photo
from portraiture.reference.photo.write import write_photo

RENDERINGS = {
    "crf": ("--renderer", "crf"),
    "rnn_torch": ("--renderer", "rnn"),
    "rnn_tflite": ("--renderer", "rnn", "--runtime", "tflite", "--bundle", "bundle"),
    "rnn_coreml": ("--renderer", "rnn", "--runtime", "coreml", "--bundle", "bundle"),
}


def main(folder: Path) -> None:
    """Write astronaut.png and its renderings into a folder, through the command line that users have."""
    folder.mkdir(parents=True, exist_ok=True)
    photo = folder / "astronaut.png"
    write_photo(photo, sample_photo())
    for name, options in RENDERINGS.items():
        target = folder / f"astronaut_{name}.png"
        command = [sys.executable, "-m", "portraiture.tools.cli", "render", str(photo), "-o", str(target), *options]
        subprocess.run(command, check=True)
        sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
