"""The table of rights, and what it decides."""

import pytest

from auth.caller import ANONYMOUS, Caller, Scope
from auth.rights import (
    INCIDENTS,
    PUBLIC,
    RULES,
    SESSIONS,
    Party,
    Private,
    Rule,
    _read,
    entitled,
    is_named,
    refusal,
    rule_of,
)
from metrics.errors import Forbidden, GatewayError, Unauthenticated

MINE, OTHERS = "0x" + "a1" * 20, "0x" + "b0" * 20
ALL = frozenset(Scope)
ORCHESTRATOR = Caller(MINE, ALL, orchestrators=frozenset({MINE}))
GATEWAY = Caller(MINE, ALL, gateways=frozenset({MINE}))
OPERATOR = Caller("ops", ALL, operator=True)


@pytest.mark.parametrize(
    ("rule", "caller", "owner", "refused"),
    [
        (PUBLIC, ANONYMOUS, MINE, None),
        (INCIDENTS, ANONYMOUS, MINE, Unauthenticated),
        (INCIDENTS, ORCHESTRATOR, MINE, None),
        (INCIDENTS, ORCHESTRATOR, OTHERS, Forbidden),
        (INCIDENTS, ORCHESTRATOR, None, Forbidden),
        (INCIDENTS, Caller(MINE, ALL - {Scope.INCIDENTS}, orchestrators=frozenset({MINE})), MINE, Forbidden),
        (INCIDENTS, Caller("0xdelegate", ALL, orchestrators=frozenset({MINE})), MINE, None),
        (INCIDENTS, GATEWAY, MINE, Forbidden),
        (SESSIONS, GATEWAY, MINE, None),
        (SESSIONS, ORCHESTRATOR, MINE, Forbidden),
        (INCIDENTS, OPERATOR, OTHERS, None),
        (INCIDENTS, OPERATOR, None, None),
        (INCIDENTS, Caller("ops", operator=True), OTHERS, Forbidden),
        # Nobody known has no rights, whatever else is said of it.
        (INCIDENTS, Caller(None, ALL, frozenset({MINE}), operator=True), MINE, Unauthenticated),
    ],
)
def test_who_may(rule: Rule, caller: Caller, owner: str | None, refused: type[GatewayError] | None) -> None:
    assert entitled(rule, caller, owner) is (refused is None)
    assert type(refusal(rule, caller, owner, "Type.field")) is (refused or type(None))


def test_every_private_field_needs_a_scope_of_reading() -> None:
    held = {rule.scope for rule in RULES.values() if isinstance(rule, Private)}

    assert held == {Scope.EARNINGS, Scope.PAYMENTS, Scope.INCIDENTS, Scope.STANDING, Scope.SESSIONS}
    assert all(str(scope).endswith(":read") for scope in held)


def test_a_field_is_named_or_it_is_not() -> None:
    assert is_named("Orchestrator", "earnings")
    assert rule_of("Orchestrator", "earnings") == Private(Scope.EARNINGS, Party.ORCHESTRATOR)
    assert rule_of("SlaMetrics", "whateverTheCatalogueHas") is PUBLIC
    assert not is_named("Orchestrator", "secret")
    with pytest.raises(KeyError):
        rule_of("Orchestrator", "secret")


def test_a_field_is_named_once() -> None:
    assert _read(((PUBLIC, "A B: x\n  y\nC: z"),)) == dict.fromkeys(("A.x", "A.y", "B.x", "B.y", "C.z"), PUBLIC)
    with pytest.raises(ValueError, match=r"names A\.x twice"):
        _read(((PUBLIC, "A: x"), (INCIDENTS, "A: x")))


def test_no_private_type_is_named_as_a_whole() -> None:
    assert [name for name, rule in RULES.items() if name.endswith(".*") and rule is not PUBLIC] == []
