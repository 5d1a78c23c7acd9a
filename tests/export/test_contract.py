"""The contract as text: each letter of a rule means one thing, and what changes gets another version."""

import hashlib
import json
import re
from dataclasses import asdict

from portraiture.export.contract import MODELS, VERSION, Kind
from portraiture.export.rules import COMPOSE_RULE, RESIZE_RULE

KNOWN = {"3.0.1": "997166b92225", "3.1.0": "985b69c37b5e", "4.0.0": "fe45f6b1bc51", "5.0.0": "68ec119fc05b"}
"""Version of the contract -> the first digits of its text's sha256. A change of the text gets a line here.
3.1.0: goldens are whole, and the rule of masks says all that it does.
4.0.0: selfies are blurred as (4) does; photos of other shapes are mirrored
outwards; passers-by are background.
5.0.0: masks are taken as mattes by a curve; a selfie has one blur."""


def digest() -> str:
    models = {name: asdict(m) for name, m in MODELS.items()}
    text = json.dumps([models, RESIZE_RULE, COMPOSE_RULE], sort_keys=True, default=lambda kind: Kind(kind).name)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def test_a_changed_contract_has_a_new_version() -> None:
    assert KNOWN.get(VERSION) == digest(), "the contract changed: raise VERSION and add its digest to KNOWN"


def test_a_rule_defines_no_letter_that_another_rule_is_named_by() -> None:
    for name, rule in COMPOSE_RULE.items():
        inside = set(re.findall(r"\b([a-z]\w*) = ", rule))
        assert not inside & (COMPOSE_RULE.keys() - {name}), f"{name}: {rule}"
