"""``portraiture inspect``: what is in a bundle, checksums verified."""

from pathlib import Path

import click


@click.command("inspect")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--times", is_flag=True, help="Also time each file beside MobileNetV2-1.0, and its memory, on this machine."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the manifest, with the times.")
def command(bundle: Path, times: bool, json_file: Path | None) -> None:
    """Print the contract, sizes and operations of BUNDLE and verify every checksum."""
    from rich.markup import escape
    from rich.table import Column, Table

    from portraiture.export.bundle.open import open_bundle
    from portraiture.reference.files import write_json
    from portraiture.tools.litter import note_litter
    from portraiture.tools.report.costs import print_costs
    from portraiture.tools.report.terminal import console

    note_litter(bundle)
    manifest = open_bundle(bundle).manifest
    out = console()
    out.print(escape(f"contract {manifest['contract_version']}, git {manifest['git_revision']}"))
    columns = ("model", "target", "precision", "size", "MB", "ops")
    files = Table(*columns, Column("needs", overflow="fold"), Column("file", overflow="fold"))
    for m in manifest["models"]:
        files.add_row(m["name"], m["target"], m["precision"], m["size"], f"{m['bytes'] / 1e6:.2f}", str(m["op_count"]),
                      ", ".join(f"{name} {version}" for name, version in (m.get("needs") or {}).items()),
                      " ".join((m["path"], m.get("entry") or "")))  # fmt: skip
    out.print(files)
    interface = Table("model", "direction", "tensor", "shape", "dtype", "range", "layout", "meaning")
    seen = set()
    for m in manifest["models"]:
        if (m["name"], m["target"], m["size"]) in seen:
            continue
        seen.add((m["name"], m["target"], m["size"]))
        for direction in ("inputs", "outputs"):
            for t in m[direction]:
                interface.add_row(f"{m['name']} {m['target']} {m['size']}", direction[:-1], t["name"], str(t["shape"]),
                                  t["dtype"], str(t["range"]), t["layout"], t["meaning"])  # fmt: skip
    out.print(interface)
    out.print(escape(f"tools: {', '.join(f'{k} {v}' for k, v in manifest['tools'].items())}"))
    costs = []
    if times:
        from portraiture.tools.bench.files import measured_costs

        costs = measured_costs(bundle)
        print_costs(costs)
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, {**manifest, **({"times": costs} if times else {})})
    out.print(f"{len(manifest['files'])} files, every sha256 as in the manifest")
