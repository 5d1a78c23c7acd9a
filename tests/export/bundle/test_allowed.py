"""The rules of ``--allow``: what they allow, and what is refused."""

import pytest

from portraiture.export.bundle.allowed import Allowed, parse_allowed
from portraiture.reference.errors import OptionError


def test_the_defaults_are_those_of_the_guide() -> None:
    allowed = parse_allowed(())
    assert allowed == Allowed()
    assert not allowed.contract
    assert not allowed.removed
    assert {name: rule.text for name, rule in allowed.growth.items()} == {"bytes": "+5%", "ops": "+5%"}
    assert allowed.least == {}


@pytest.mark.parametrize(
    ("rule", "old", "new", "allows"),
    [
        ("bytes=+5%", 100, 105, True),
        ("bytes=+5%", 100, 106, False),
        ("bytes=+5", 100, 105, True),
        ("bytes=5", 100, 106, False),
        ("ops=+0", 7, 7, True),
        ("ops=+0", 7, 8, False),
        ("ms=+0.5", 1.0, 1.5, True),
        ("ops=+0", 7, 6, True),
    ],
)
def test_growth(rule: str, old: float, new: float, allows: bool) -> None:
    assert parse_allowed([rule]).growth[rule.partition("=")[0]].allows(old, new) is allows


def test_least_values_and_words() -> None:
    allowed = parse_allowed(["psnr=45dB", "iou=0.99", "contract", "removed"])
    assert allowed.least == {"psnr": 45.0, "iou": 0.99}
    assert allowed.contract
    assert allowed.removed
    assert parse_allowed(["psnr=45"]).least == {"psnr": 45.0}


@pytest.mark.parametrize(
    "rule",
    ["", "bytes", "bytes=", "bytes=-5%", "bytes=nan", "psnr=inf", "psnr=45%", "iou=99", "iou=99%", "contract=1",
     "speed=+5%", "ms=+5%%"],
)  # fmt: skip
def test_other_rules_are_refused(rule: str) -> None:
    with pytest.raises(OptionError, match="--allow: expected a rule such as"):
        parse_allowed([rule])


def test_a_rule_given_twice_is_refused() -> None:
    with pytest.raises(OptionError, match="bytes twice"):
        parse_allowed(["bytes=+5%", "bytes=+6%"])
