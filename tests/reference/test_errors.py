"""A message of any length is shown in 2,000 characters: where it is wrong, and what to do."""

import pytest

from portraiture.reference.errors import ExportError, InputError, OptionError, PortraitureError


def test_a_long_message_keeps_its_beginning_and_its_end() -> None:
    found = str(InputError("a" * 1500 + "b" * 1500))
    assert found == "a" * 998 + " .. " + "b" * 998
    assert len(found) == 2000


@pytest.mark.parametrize("length", [0, 1, 1999, 2000])
def test_a_message_that_fits_is_whole(length: int) -> None:
    assert str(OptionError("a" * length)) == "a" * length
    assert str(OptionError("a" * 2001)) != "a" * 2001


def test_what_the_command_line_returns() -> None:
    assert (PortraitureError.exit_code, InputError.exit_code, OptionError.exit_code) == (2, 2, 2)
    assert ExportError.exit_code == 1
