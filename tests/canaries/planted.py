"""Canaries: texts that are planted where nobody but their owner may read, and looked for in every answer of the suite.

Wherever a gateway answers, in this process or in another one that a test starts, search.py looks for them. What the
simulator invents of this kind is looked for too, wherever its network is asked.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from auth.caller import Caller, Scope
from telemetry.simulator.catalogue import LATE_ERRORS, PROMPTS, RESTART_LOGS, STARTUP_ERRORS


@dataclass(frozen=True)
class Canary:
    """A planted text, and who may meet it: with a scope, an orchestrator or a gateway (None: any of them)."""

    text: str
    scope: Scope | None  # None: nobody may, whoever it is
    owner: str | None = None

    @cached_property
    def forms(self) -> tuple[bytes, ...]:
        """The text as it stands, in JSON, and within anything in base64, as cursors and ids are."""
        raw = self.text.encode()
        # Of each way to begin within a group of three bytes the letters that depend on nothing before or behind.
        coded = (base64.urlsafe_b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3))
        return (raw, json.dumps(self.text)[1:-1].encode(), *coded)

    def may_be_met_by(self, caller: Caller) -> bool:
        """Is this caller entitled? Written down again on purpose, not taken from auth/rights.py."""
        if self.scope is None or self.scope not in caller.scopes:
            return False
        wallets = caller.gateways if self.scope is Scope.SESSIONS else caller.orchestrators
        return caller.operator or (bool(wallets) if self.owner is None else self.owner in wallets)


def canaries_of(orchestrator: str, gateway: str, name: str) -> dict[str, Canary]:
    """What is planted in a session of an orchestrator for a gateway."""
    return {
        "prompt": Canary(f"canary prompt of {name}: a heron in an attic", Scope.SESSIONS, gateway),
        "address": Canary(f"canary-{name}.client.example", Scope.SESSIONS, gateway),
        "error": Canary(f"canary error of {name}: no such canvas", Scope.INCIDENTS, orchestrator),
        "log": Canary(f"canary log of {name}: the kiln went cold", Scope.INCIDENTS, orchestrator),
        "key": Canary("0x" + (name.encode().hex() + "ca11ab1e" * 5)[:40], None),
    }


ALSO = "CANARY_ALSO"
# Of nobody that a test is logged in as.
ANYBODY = canaries_of("0x" + "ee" * 20, "0x" + "dd" * 20, "anybody")
ALL: list[Canary] = [
    *ANYBODY.values(),
    *(Canary(prompt, Scope.SESSIONS) for prompt in PROMPTS),
    *(Canary(text, Scope.INCIDENTS) for text in (*RESTART_LOGS, *STARTUP_ERRORS, *LATE_ERRORS)),
    # For tests of the search itself.
    *(Canary(text, None) for text in os.environ.get(ALSO, "").split()),
]


def escaped(said: bytes, caller: Caller) -> list[str]:
    """The canaries in what somebody is told who may not meet them."""
    return [one.text for one in ALL if not one.may_be_met_by(caller) and any(form in said for form in one.forms)]


def texts(planted: Mapping[str, Canary]) -> dict[str, str]:
    """What is planted, by kind."""
    return {kind: canary.text for kind, canary in planted.items()}
