"""What two manifests say: how contract and files of two bundles differ."""

from collections.abc import Iterator
from typing import Any

from portraiture.export.bundle.allowed import Allowed
from portraiture.export.bundle.any_release import AnyBundle, AnyModel
from portraiture.export.bundle.findings import Finding, Section, Verdict
from portraiture.export.bundle.goldens import INDEX
from portraiture.reference.files import parse_json

_SHOWN, _BEFORE = 100, 40
"""Characters of a long value that are shown, and how many of them stand before the first difference; chosen."""

_NOTHING = "nothing"
"""Stands for a value that a bundle does not have."""


def _text(value: Any) -> str:
    return _NOTHING if value is None else value if isinstance(value, str) else repr(value)


def around_difference(old: str, new: str) -> tuple[str, str]:
    """Two texts, cut to where they differ.

    >>> around_difference("fp16", "fp32")
    ('fp16', 'fp32')
    """
    same = next((k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, same - _BEFORE) if max(len(old), len(new)) > _SHOWN else 0

    def cut(text: str) -> str:
        rest = text[start:]
        return f"{'..' if start else ''}{rest[:_SHOWN]}{'..' if len(rest) > _SHOWN else ''}"

    return cut(old), cut(new)


def differences(old: Any, new: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every difference of two JSON values: its place, and the two values; None where one has none.

    >>> list(differences({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"d": 3}}))
    [('b.c', 2, None), ('b.d', None, 3)]

    Args:
        old, new: the two; lists are compared whole.
        place: of the values in the whole, its parts joined by dots.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key), new.get(key), f"{place}.{key}".lstrip("."))
    elif old != new:
        yield place, old, new


def _differing(subject: str, old: Any, new: Any, verdict: Verdict, rule: str = "") -> Iterator[Finding]:
    """A finding for each difference of two JSON values."""
    for place, a, b in differences(old, new):
        before, after = around_difference(_text(a), _text(b))
        yield Finding(Section.CONTRACT, subject, place or "value", verdict, before, after, rule=rule)


def _tensors(model: AnyModel) -> dict[str, Any]:
    """What a model takes and gives, by name, and the order of the names."""
    found: dict[str, Any] = {"meaning": model.entry.get("meaning")}
    for direction in ("inputs", "outputs"):
        tensors = model.entry.get(direction) or []
        found[direction] = {str(t.get("name")): t for t in tensors}
        found[f"order of {direction}"] = ", ".join(str(t.get("name")) for t in tensors)
    return found


def _interfaces(bundle: AnyBundle) -> dict[str, dict[str, Any]]:
    """What each model takes and gives, by name, format and size; precisions have the same."""
    entries = ((m, m.entry) for m in bundle.models.values())
    return {f"{e['name']} {e['target']} {e['size']}": _tensors(m) for m, e in entries}


def _settings(bundle: AnyBundle) -> dict[str, Any]:
    """The settings at which the goldens were computed; empty where the bundle says none."""
    path = bundle.root / INDEX
    try:
        index = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    plain = index.items() if isinstance(index, dict) else ()
    return {k: v for k, v in plain if isinstance(v, (int, float))}


def contract_findings(old: AnyBundle, new: AnyBundle, allowed: Allowed) -> list[Finding]:
    """How the contract of two bundles differs; what no app depends on, such as tool versions, is not judged.

    Args:
        old, new: the bundles.
        allowed: whether the contract may differ.
    """
    verdict, rule = (Verdict.ALLOWED, "contract") if allowed.contract else (Verdict.WORSE, "equal")
    versions = old.manifest["contract_version"], new.manifest["contract_version"]
    found = list(_differing("contract version", versions[0], versions[1], verdict, rule))
    before, after = _interfaces(old), _interfaces(new)
    for name in (n for n in before if n in after):
        found += _differing(name, before[name], after[name], verdict, rule)
    for name, was, now in pairs_of(old, new):
        needed, needs = was.entry.get("needs"), now.entry.get("needs")
        if needed and needs:  # older releases do not say it
            found += _differing(f"{name} needs", needed, needs, verdict, rule)
    for part in ("resize", "compose"):
        found += _differing(f"{part} rule", old.part(part), new.part(part), verdict, rule)
    found += _differing("settings of the goldens", _settings(old), _settings(new), verdict, rule)
    if not found:
        found.append(Finding(Section.CONTRACT, "contract", "all", Verdict.SAME, versions[0], versions[1]))
    for what in ("name", "target", "precision", "size"):
        sets = [", ".join(dict.fromkeys(m.entry[what] for m in b.models.values())) for b in (old, new)]
        if set(sets[0].split(", ")) != set(sets[1].split(", ")):
            found.append(Finding(Section.CONTRACT, "bundle", f"{what}s", Verdict.DIFFERS, *sets))
    for part in ("tools", "weights", "model_card"):
        found += _differing(part.replace("_", " "), old.part(part), new.part(part), Verdict.DIFFERS)
    revisions = old.manifest.get("git_revision"), new.manifest.get("git_revision")
    return found + list(_differing("git revision", revisions[0], revisions[1], Verdict.DIFFERS))


def grown(section: Section, subject: str, what: str, values: tuple[float, float], allowed: Allowed) -> Finding:
    """The finding of a number that both bundles have, held to its rule.

    Args:
        section: which part of the comparison.
        subject: whose number it is.
        what: ``bytes``, ``ops`` or ``ms``.
        values: old and new, 0 or more.
        allowed: the rules.
    """
    old, new = values
    change = f"{new / old - 1:+.1%}" if old and old != new else ""
    rule = allowed.growth.get(what)
    if old == new:
        verdict = Verdict.SAME
    elif rule is None:
        verdict = Verdict.DIFFERS
    else:
        verdict = Verdict.ALLOWED if rule.allows(old, new) else Verdict.WORSE
    return Finding(section, subject, what, verdict, f"{old:,.6g}" if old < 1e6 else f"{old:,.0f}",
                   f"{new:,.6g}" if new < 1e6 else f"{new:,.0f}", change, rule.text if rule else "")  # fmt: skip


def pairs_of(old: AnyBundle, new: AnyBundle) -> list[tuple[str, AnyModel, AnyModel]]:
    """The models that both bundles have: their words, the old and the new one."""
    return [(name, m, new.models[name]) for name, m in old.models.items() if name in new.models]


def file_findings(old: AnyBundle, new: AnyBundle, allowed: Allowed) -> list[Finding]:
    """Which files were added, removed or renamed, and how many bytes and operations they have.

    Args:
        old, new: the bundles.
        allowed: whether files may be removed, and how much bytes and operations may grow.
    """
    lost, rule = (Verdict.ALLOWED, "removed") if allowed.removed else (Verdict.WORSE, "none removed")
    found = []
    for name in dict.fromkeys([*old.models, *new.models]):
        if name not in new.models:
            found.append(Finding(Section.FILES, name, "removed", lost, old.models[name].path, _NOTHING, rule=rule))
        elif name not in old.models:
            found.append(Finding(Section.FILES, name, "added", Verdict.DIFFERS, _NOTHING, new.models[name].path))
    weighed = set()
    for name, before, after in pairs_of(old, new):
        if before.path != after.path:
            found.append(Finding(Section.FILES, name, "path", lost, before.path, after.path, rule=rule))
        if (before.path, after.path) not in weighed:
            weighed.add((before.path, after.path))
            sizes = old.sizes[before.path], new.sizes[after.path]
            found.append(grown(Section.FILES, before.path if before.is_shared else name, "bytes", sizes, allowed))
        old_ops, new_ops = before.entry.get("op_count"), after.entry.get("op_count")
        if isinstance(old_ops, int) and isinstance(new_ops, int):
            found.append(grown(Section.FILES, name, "ops", (old_ops, new_ops), allowed))
        elif "ops" in allowed.growth:
            found.append(Finding(Section.FILES, name, "ops", Verdict.NOT_COMPARED, note="a manifest says none"))
    return [*found, *_other_files(old, new, lost, rule)]


def _other_files(old: AnyBundle, new: AnyBundle, lost: Verdict, rule: str) -> Iterator[Finding]:
    """The files that are no models: goldens, constants, the model card."""
    of_models = {m.path for b in (old, new) for m in b.models.values()}
    sums = [{n: b.manifest["files"][n] for n in b.sizes if n not in of_models} for b in (old, new)]
    for name in sorted({*sums[0], *sums[1]}):
        if name not in sums[1]:
            yield Finding(Section.FILES, name, "removed", lost, f"{old.sizes[name]:,} bytes", _NOTHING, rule=rule)
        elif name not in sums[0]:
            yield Finding(Section.FILES, name, "added", Verdict.DIFFERS, _NOTHING, f"{new.sizes[name]:,} bytes")
        else:
            verdict = Verdict.SAME if sums[0][name] == sums[1][name] else Verdict.DIFFERS
            yield Finding(Section.FILES, name, "content", verdict, note="" if verdict is Verdict.SAME else "changed")
