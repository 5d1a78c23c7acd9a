"""The figures of guides: what a marker takes, when a printed number is the text's, and what becomes of a command."""

from decimal import Decimal
from pathlib import Path

import pytest

from portraiture.reference.errors import InputError
from portraiture.tools.figures.check import main
from portraiture.tools.figures.markers import read_markers
from portraiture.tools.figures.numbers import Number, numbers, printed_numbers

TABLE = """
<!-- figures of "drawn" but 16: printf 33.50 -->
<!-- figures of "photos": portraiture evaluate render
     --root DATA -->
| what in 10 px | figure |
| --- | --- |
| 16 drawn scenes | 33.5 dB |
| photos | 28.8 dB |
| | 24.2 to 28.9 % |
"""


def number(text: str) -> Number:
    """The one number of a text."""
    ((_, found),) = numbers(text)
    return found


def digits(document: str) -> list[list[str]]:
    """Of each marker, its figures."""
    return [[n.digits for _, n in marker.figures] for marker in read_markers("GUIDE.md", document)]


@pytest.mark.parametrize(
    ("text", "output", "met"),
    [
        ("33.5 dB", "33.50", True),
        ("33.5", "paper 33.54", True),
        ("33.5", "33.56", False),
        ("33.50", "33.5", False),  # one digit less was printed than the text gives
        ("33.50", "33.51", False),
        ("33.5", "33.45", True),  # a half, which an unrounded value may have been on either side of
        ("12.8 %", "whdr                   0.1283", True),
        ("12.8 %", "whdr 12.83 %", True),
        ("12.8 %", "0.1293", False),
        ("0.974", "| method | mean IoU % |\n| --- | ---: |\n| refined | 97.39 |", True),
        ("0.974", "| method | PSNR dB |\n| --- | ---: |\n| refined | 97.39 |", False),
        ("0.974", "97.39", False),
        ("0 %", "0.0023", True),
        ("-3.2", "-3.21", True),
        ("\N{MINUS SIGN}3.2", "-3.21", True),
        ("-3.2", "3.21", False),
        ("3.2", "-3.21", False),
        ("5,040 pairs", "pairs                  5040", True),
        ("2.1 M parameters", "2060086", True),
        ("2.2 M parameters", "2060086", False),
        ("9.3e-6", "9.271e-06", True),
        ("9.3e-6", "9.371e-06", False),
        ("88.1 dB", "perception,tflite,fp16,mask,9.3e-06,88.12,80", True),
    ],
)
def test_a_printed_number_rounds_to_the_text(text: str, output: str, met: bool) -> None:
    assert any(printed.rounds_to(number(text)) for printed in printed_numbers(output)) == met


def test_words_sizes_and_ranges_are_no_numbers() -> None:
    text = "BSDS500, MobileNetV2-1.0, 512x384, 1/8, 0..1, boundary_f_2px, v2.0.1: 3 of 4,525 (5.5), 7."
    assert [n.digits for _, n in numbers(text)] == ["3", "4,525", "5.5", "7"]
    assert number("4,525").readings == ((Decimal(4525), Decimal(1)),)


def test_a_marker_takes_the_rows_that_it_names() -> None:
    drawn, photos = read_markers("GUIDE.md", TABLE)
    assert (drawn.where, drawn.command) == ("GUIDE.md:2", "printf 33.50")
    assert [(place, n.digits) for place, n in drawn.figures] == [("GUIDE.md:7", "33.5")]
    assert photos.command == "portraiture evaluate render --root DATA"
    # a row without a first cell belongs to the one before
    assert [(place, n.digits) for place, n in photos.figures] == [
        ("GUIDE.md:8", "28.8"),
        ("GUIDE.md:9", "24.2"),
        ("GUIDE.md:9", "28.9"),
    ]


def test_a_marker_takes_a_paragraph_or_its_sentences() -> None:
    words = "On scenes 33.50 and\n33.51 dB, by (10) and `--scenes 16`. On photos 28.77 dB [25].\n\nNot 99.\n"
    assert digits(f"# 1\n\n<!-- figures: a -->\n{words}") == [["33.50", "33.51", "28.77"]]
    assert digits(f'<!-- figures of "photos" given runs: a -->\n{words}') == [["28.77"]]
    assert digits("<!-- figures: a -->\n- one 1\n- two 2\n") == [["1", "2"]]
    assert digits('<!-- figures of "two": a -->\n- one 1\n- two 2\n') == [["2"]]


def test_what_stands_in_code_is_no_marker() -> None:
    assert digits("```text\n<!-- figures: a -->\n5\n```\n\nWrite `<!-- figures: a -->` before 5.\n") == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("<!-- figures -->\n5\n", "name the command"),
        ("<!-- figures all: a -->\n5\n", "found 'all'; name the command after it"),
        ("<!-- figures: a -->\n\n5\n", "GUIDE.md:1: expected figures below, found none; put the marker"),
        ("<!-- figures: a -->\nnone\n", "expected figures below"),
        ('<!-- figures of "x y": a -->\n5\n', "a row or sentence with 'x y' below, found none; correct the text"),
        ("<!-- figures but 6: a -->\n5\n", "expected 6 below, found no such number; take it out"),
        ("5\n<!-- figures: a -->\n6\n", "GUIDE.md:2: expected text, found a marker; put it before its block"),
    ],
)
def test_a_wrong_marker_is_named(document: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_markers("GUIDE.md", document)


def guide(root: Path, text: str) -> list[str]:
    """The arguments that check one guide."""
    (root / "README.md").write_text(text)
    (root / "data").mkdir(exist_ok=True)
    return ["--root", str(root), "--data", str(root / "data")]


def test_commands_are_met_differ_fail_or_are_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fine = "<!-- figures: printf 0.974 -->\nIoU 97.4 %.\n\n"
    skipped = "<!-- figures: printf 1 DATA/ccp -->\n1\n\n<!-- figures given runs/x: printf 2 -->\n2\n\n"
    assert main(guide(tmp_path, fine + skipped)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "met: printf 0.974 (figures: 1)"
    assert said[1:3] == ["skipped: printf 1 DATA/ccp (figures: 1)", f"  there is no {tmp_path}/data/ccp"]
    assert said[4:] == ["  there is no runs/x", "1 met, 0 differs, 0 failed, 2 skipped"]

    differs = "<!-- figures: python -c 'print(33.51, -2)' -->\n33.5 and\n33.50 dB\n\n"
    failed = "<!-- figures: python -c 'raise SystemExit(\"no such photo\")' -->\n1\n"
    assert main(guide(tmp_path, differs + failed)) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "  README.md:3: 33.50, nearest printed 33.51"
    assert said[3:] == ["  exit 1: no such photo", "0 met, 1 differs, 1 failed, 0 skipped"]


def test_a_command_runs_once_with_the_data_in_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = "python -c \"import sys; open('ran', 'a').write(sys.argv[1]); print(5)\" ccp=DATA"
    two = f"<!-- figures: {command} -->\n5\n\n<!-- figures: {command} -->\n5.0\n"
    assert main(guide(tmp_path, two)) == 1
    assert (tmp_path / "ran").read_text() == f"ccp={tmp_path}/data"
    assert capsys.readouterr().out.splitlines()[1:2] == ["  README.md:5: 5.0, nearest printed 5"]


def test_list_and_only_run_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = guide(tmp_path, "<!-- figures: printf 1 -->\n2\n\n<!-- figures: printf 3 -->\n3\n")
    assert main([*arguments, "--list"]) == 0
    assert capsys.readouterr().out == "printf 1\n  README.md:2: 2\nprintf 3\n  README.md:5: 3\n"
    assert main([*arguments, "--only", "printf 3"]) == 0
    assert capsys.readouterr().out.startswith("met: printf 3")


def test_what_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path)]) == 2
    assert main(guide(tmp_path, "<!-- figures: no-such-program -->\n1\n")) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("found none; name the checkout with --root")
    assert said[-1] == "figures: README.md:1: expected a program, found no no-such-program; correct the marker"


def test_the_markers_of_this_checkout_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert "portraiture evaluate render" in capsys.readouterr().out
