"""The settings at which filter and portrait are judged."""

from dataclasses import dataclass

from portraiture.reference.lens.focus import FOCUS_ON_PERSON
from portraiture.reference.lens.radii import APERTURE_PAPER


@dataclass(frozen=True)
class Setting:
    """What a user chooses: aperture 0..0.04, and the depth that stays sharp, 0..1 or ``FOCUS_ON_PERSON``."""

    aperture: float
    focus: float

    def __str__(self) -> str:
        where = "the person" if self.focus == FOCUS_ON_PERSON else f"{self.focus:g}"
        return f"aperture {self.aperture:g}, focus {where}"


SETTINGS = (
    Setting(APERTURE_PAPER, FOCUS_ON_PERSON),
    Setting(0.0, FOCUS_ON_PERSON),
    Setting(0.008, 0.1),
    Setting(0.024, 0.35),
    Setting(0.032, FOCUS_ON_PERSON),
    Setting(0.04, 0.9),
)
"""Changes are counted from the first, the paper's."""
