"""The use of each definition: params, result, payload or part of others; sent or received. Names results."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs

from tools.generate import naming, tables
from tools.generate.model import Record
from tools.generate.schema import Method, Schema, references

if TYPE_CHECKING:
    from collections.abc import Iterator

MENTIONED = 3
"""The number of users that the docstring of a type names."""


@attrs.frozen
class Role:
    """The role of a record in the protocol: its base classes and the constants that they require."""

    name: str | None = None
    """The class name, if it is not the definition's."""
    bases: str = "Record"
    names: frozenset[str] = frozenset()
    """Protocol names in the bases."""
    constants: tuple[str, ...] = ()
    doc: str = ""
    tag_name: str | None = None

    def with_tag(self, tag: tuple[str, str] | None) -> Role:
        """Return the role of one variant in a tagged union that has this role."""
        if tag is None:
            return self
        wire, value = tag
        name = naming.attribute(wire)
        bases = "Variant" if self.bases == "Record" else f"{self.bases}, Variant"
        tag_constant = () if name == "type" else (f"TAG: ClassVar[str] = {name!r}",)
        constant = f"{name}: ClassVar[Literal[{value!r}]] = {value!r}"
        return attrs.evolve(self, bases=bases, tag_name=wire, constants=(*self.constants, *tag_constant, constant))


class Roles:
    """The roles of all definitions."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._by_name: dict[str, list[Role]] = defaultdict(list)
        self._results: dict[str, list[str]] = defaultdict(list)
        for method in schema.client_requests:
            self._add_request(method, "ClientRequest", f"Params of `{method.name}`.")
        for method in schema.server_requests:
            self._add_request(method, "ServerRequest", f"Params of `{method.name}`, a request from the runtime.")
        for method in schema.notifications:
            self._add_notification(method)
        self._users = self._find_users()
        self.sent = self._find_sent()

    def of(self, name: str) -> list[Role]:
        """Return the roles of a definition; each role becomes a class."""
        return self._by_name.get(name) or [Role(doc=self._result_doc(name))]

    def part_of(self, name: str) -> str:
        """Return a text on where a definition is used."""
        users = [naming.class_name(user) for user in sorted(self._users[name])]
        if not users:
            return "Not used by any method."
        shown, more = users[:MENTIONED], users[MENTIONED:]
        rest = f" and {len(more)} more" if more else ""
        return f"Part of {', '.join(f'`{user}`' for user in shown)}{rest}."

    def bare_requests(self) -> Iterator[tuple[str, Record]]:
        """Yield a params class for each request without params, with the definition of its result."""
        for method in self._schema.client_requests:
            if method.params is None:
                result = result_of(self._schema, method)
                name = result.removesuffix("Response") + "Params"
                role = _request_role(self._schema, method, "ClientRequest", "")
                constants = (*role.constants, "HAS_PARAMS: ClassVar[bool] = False")
                doc = method.description or f"Params of `{method.name}`; it has none."
                yield result, Record(name, role.bases, doc, constants, (), role.names)

    def _add_request(self, method: Method, base: str, doc: str) -> None:
        self._results[result_of(self._schema, method)].append(method.name)
        if method.params:
            self._by_name[method.params].append(_request_role(self._schema, method, base, doc))

    def _add_notification(self, method: Method) -> None:
        assert method.params, f"{method.name} has no payload"
        self._by_name[method.params].append(
            Role(
                name=notification_class(method),
                bases="ServerNotification",
                names=frozenset({"ServerNotification"}),
                constants=(f"METHOD: ClassVar[str] = {method.name!r}",),
                doc=method.description or f"Payload of `{method.name}`.",
            )
        )

    def _result_doc(self, name: str) -> str:
        methods = self._results.get(name, ())
        return f"Result of {' and '.join(f'`{method}`' for method in methods)}." if methods else ""

    def _find_users(self) -> dict[str, set[str]]:
        users: dict[str, set[str]] = defaultdict(set)
        for name in self._schema.names:
            for used in references(self._schema.definitions[name]):
                users[used].add(name)
        return users

    def _find_sent(self) -> set[str]:
        params = [method.params for method in self._schema.client_requests if method.params]
        answers = [result_of(self._schema, method) for method in self._schema.server_requests]
        return self._schema.reach([*params, *answers])


def result_of(schema: Schema, method: Method) -> str:
    """Return the definition of a request's result. Raises `LookupError` if the rule finds none."""
    by_rule = method.params and method.params.removesuffix("Params") + "Response"
    result = tables.RESULTS.get(method.name) or by_rule or tables.RESULTS_BEFORE.get(method.name, "Response")
    if result not in schema.definitions:
        raise LookupError(f"{method.name}: no result called {result}; name it in tables.RESULTS")
    return result


def notification_class(method: Method) -> str:
    """Return the class of a notification's payload."""
    assert method.params
    return tables.SHARED_PAYLOADS.get(method.name) or naming.class_name(method.params)


def params_class(schema: Schema, method: Method) -> str:
    """Return the class, or the union, of a request's params."""
    return naming.class_name(method.params or result_of(schema, method).removesuffix("Response") + "Params")


def _request_role(schema: Schema, method: Method, base: str, doc: str) -> Role:
    result = naming.class_name(result_of(schema, method))
    return Role(
        bases=f'{base}["{result}"]',
        names=frozenset({base, result}),
        constants=(f"METHOD: ClassVar[str] = {method.name!r}",),
        doc=method.description or doc,
    )
