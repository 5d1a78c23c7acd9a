"""What to export."""

from dataclasses import dataclass, field
from pathlib import Path

from portraiture.export.contract import DEFAULT_MODELS, DEFAULT_SIZE, Size
from portraiture.export.doctor.devices.examine import Device, check_devices
from portraiture.export.formats import DEFAULT_TARGETS, PRECISIONS, ROUTES, Packaging, Precision, Route, Target
from portraiture.export.kits.kit import NEEDS, Kit
from portraiture.export.model_file import ModelFile, file_path
from portraiture.export.networks.build import Checkpoints
from portraiture.export.plan import Plan
from portraiture.reference.errors import OptionError


@dataclass(frozen=True)
class BundleSpec:
    """What to export.

    ``calibration`` are the photo files on which static int8 finds the ranges of activations. ``devices`` are those that
    the doctor looks at each file for, empty for all that run its format; with ``strict`` a file that one of them does
    not take whole is refused. ``plan`` is what files of the precision ``plan`` are stored by.
    ``kits`` are sources for apps that the bundle gets.
    """

    models: tuple[str, ...] = DEFAULT_MODELS
    targets: tuple[Target, ...] = DEFAULT_TARGETS
    precisions: tuple[Precision, ...] = (Precision.FP16,)
    sizes: tuple[Size, ...] = (DEFAULT_SIZE,)
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    route: Route = Route.LITERT
    packaging: Packaging = Packaging.SINGLE
    calibration: tuple[Path, ...] = ()
    devices: tuple[Device, ...] = ()
    plan: Plan | None = None
    strict: bool = False
    kits: tuple[Kit, ...] = ()

    def __post_init__(self) -> None:
        """Raises OptionError where a target has none of the precisions asked for, or a precision no target.

        Also where static int8 has no photos, or photos are given and it is not asked for, or the route or a device has
        no target.
        """
        by_route = [t for t in Target if self.route in ROUTES.get(t, ())]
        if self.route is not Route.LITERT and not set(by_route) & set(self.targets):
            asked, can = (", ".join(t.value for t in some) for some in (self.targets, by_route))
            raise OptionError(f"--route {self.route.value}: expected --target {can} with it, found {asked}; add it")
        by_name = {Precision.INT8, Precision.INT8_STATIC, Precision.PLAN}
        if self.route is not Route.LITERT and by_name & set(self.precisions):
            raise OptionError(
                f"--route {self.route.value}: expected --precision fp32 or fp16; int8 keeps layers float by the names"
                " that --route litert writes"
            )
        for target in self.targets:
            if not set(self.precisions) & set(PRECISIONS[target]):
                can = ", ".join(p.value for p in PRECISIONS[target])
                asked = ", ".join(p.value for p in self.precisions)
                raise OptionError(f"--precision {asked}: {target.value} is written in {can}; add one of them")
        for precision in self.precisions:
            if not any(precision in PRECISIONS[t] for t in self.targets):
                takers = ", ".join(t.value for t in Target if precision in PRECISIONS[t])
                asked = ", ".join(t.value for t in self.targets)
                raise OptionError(f"--precision {precision.value}: expected --target {takers} with it, found {asked};"
                                  f" add {takers}")  # fmt: skip
        check_devices(self.targets, self.devices)
        if (self.plan is None) != (Precision.PLAN not in self.precisions):
            raise OptionError(
                "--precision plan: expected --plan FILE with it, and it with --plan, found one of them; add the other"
            )
        for kit in self.kits:
            if not set(NEEDS[kit]) & set(self.targets):
                asked = ", ".join(t.value for t in self.targets)
                takes = " or ".join(t.value for t in NEEDS[kit])
                raise OptionError(f"--kit {kit.value}: expected --target {takes} with it, found {asked};"
                                  f" add {NEEDS[kit][0].value}")  # fmt: skip
        static = Precision.INT8_STATIC in self.precisions
        if static and not self.calibration:
            raise OptionError(
                "--precision int8-static: expected --calibrate DIR, found none; name a folder of your photos"
            )
        if self.calibration and not static:
            raise OptionError(
                "--calibrate: expected --precision int8-static with it, found none; only that needs photos"
            )

    def files(self) -> list[ModelFile]:
        """Every single file that is written, finest precision first; shared ones are made of them."""
        return [
            ModelFile(
                name,
                target,
                precision,
                size,
                file_path(name, target, precision, size),
                plan=self.plan if precision is Precision.PLAN else None,
            )
            for target in self.targets
            for size in self.sizes
            for name in self.models
            for precision in PRECISIONS[target]
            if precision in self.precisions
        ]
