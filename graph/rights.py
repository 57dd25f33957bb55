"""The table of auth/rights.py, applied to the schema: directives for those who read it, guards for those who ask.

A guard stands before a field's resolver, so that what a caller may not have is not read either.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)
from strawberry.schema.name_converter import NameConverter
from strawberry.schema_directive import Location, schema_directive

from auth.audit import record
from auth.rights import RULES, Private, is_named, refusal, rule_of
from metrics.errors import Forbidden
from resolvers.context import Context


# In the federation's words, but our own and not linked: a composer makes linked ones a demand on the router, and those
# that do not check tokens themselves then refuse the whole graph (docs/decisions/0140).
@schema_directive(
    name="authenticated",
    locations=[Location.FIELD_DEFINITION],
    description="Only for callers who say who they are.",
)
class Authenticated:
    """A private field's first directive."""


@schema_directive(
    name="requiresScopes",
    locations=[Location.FIELD_DEFINITION],
    description="Only for callers with all the scopes of one of these lists.",
)
class RequiresScopes:
    """A private field's second directive."""

    scopes: list[list[str]]


Owner = Callable[[Any, Mapping[str, Any]], str | None]

# Whose a thing is, by the thing and the field's arguments: the wallet that the rules of its private fields are about. A
# type that is not here has private fields only, and is reached through none but private ones.
OWNERS: Mapping[str, Owner] = {
    "Orchestrator": lambda orchestrator, _: orchestrator.key,
    "Standing": lambda standing, _: standing.address,
    "Session": lambda session, _: session.record.gateway,
    "Subscription": lambda _, arguments: arguments["orchestrator"],
}


def directives(rule: Private) -> tuple[object, ...]:
    """What the schema's text says of a field with this rule, in the words of Apollo Federation."""
    return Authenticated(), RequiresScopes(scopes=[[rule.scope.value]])


def mark(*types: Any) -> None:
    """Give the private fields of these types their directives, beside others that they have; once, however often."""
    names = NameConverter()
    for cls in types:
        definition = cls.__strawberry_definition__
        for field in definition.fields:
            rule = RULES.get(f"{definition.name}.{names.from_field(field)}")
            if rule is not None:
                others = [one for one in field.directives if not isinstance(one, Authenticated | RequiresScopes)]
                field.directives = [*others, *directives(rule)]


def guard(schema: GraphQLSchema) -> None:
    """Put guards before the private fields of whatever has an owner. Raises LookupError where a field has no rule."""
    if missing := [f"{type_name}.{name}" for type_name, name in fields_of(schema) if not is_named(type_name, name)]:
        raise LookupError(f"auth/rights.py must say who may read {', '.join(missing)}")
    for type_name, owner in OWNERS.items():
        type_ = schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items():
            rule = rule_of(type_name, name)
            if rule is not None:
                field.resolve = _guarded(field.resolve, rule, owner, f"{type_name}.{name}")


def fields_of(schema: GraphQLSchema) -> list[tuple[str, str]]:
    """(type, field) of everything that can be read, filtered or ordered by."""
    found: list[tuple[str, str]] = []
    for type_ in schema.type_map.values():
        if type_.name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            found += [(type_.name, name) for name in type_.fields]
        elif isinstance(type_, GraphQLEnumType) and type_.name.endswith("OrderField"):
            found += [(type_.name, name) for name in type_.values]
    return found


def _guarded(resolve: Any, rule: Private, owner: Owner, what: str) -> Any:
    def guarded(source: Any, info: Any, **arguments: Any) -> Any:
        refused = refusal(rule, info.context.caller, owner(source, arguments), what)
        if refused is not None:
            if isinstance(refused, Forbidden):
                _audited(info.context, what)
            raise refused
        return resolve(source, info, **arguments)

    return guarded


def _audited(context: Context, what: str) -> None:
    """Tell the audit log that somebody who is known asked for what is not theirs; a field once in a request."""
    if ("refused", what) not in context.notes:
        context.notes["refused", what] = True
        record("forbidden", context.now, context.client, subject=context.caller.subject, what=what)
