"""The runtime's schema as it is checked in: one JSON file, made from the two bundles that the runtime prints.

With it, a new runtime is reviewed as a diff of its schema. Knows the layout of the bundles, and no Python name.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tools.generate import runtime

Json = Any

PATH = Path(__file__).parent / "runtime-schema.json"

_WORDS = {"$schema", "description", "title"}
"""Keywords that do not affect what a schema allows."""


def from_runtime() -> Json:
    """Ask the pinned runtime for its schema."""
    return merged(runtime.dump_schema(experimental=True), runtime.dump_schema(experimental=False), runtime.VERSION)


def merged(bundle: Json, stable_bundle: Json, version: str = "") -> Json:
    """Merge the full and the stable bundle. Raises `LookupError` if one name has two meanings in a bundle.

    Of the stable bundle, only the names of definitions and of their properties are kept: all that differs is which of
    them are experimental.
    """
    stable = {name: sorted(part.get("properties", ())) for name, part in _flat(stable_bundle).items()}
    return {
        "about": {"runtime": version, "hash": hashlib.sha256(_compact([bundle, stable_bundle])).hexdigest()},
        "definitions": _flat(bundle),
        "stable": stable,
    }


def text(schema: Json) -> str:
    """Return the content of the file: sorted and indented, so that a diff shows what changed."""
    return json.dumps(schema, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def read() -> Json:
    """Read the file."""
    return json.loads(PATH.read_text())


def _compact(bundles: list[Json]) -> bytes:
    return json.dumps(bundles, sort_keys=True, separators=(",", ":")).encode()


def _flat(bundle: Json) -> dict[str, Json]:
    top = {name: schema for name, schema in bundle.items() if name != "v2"}
    v2 = bundle["v2"]
    if differing := sorted(name for name in top.keys() & v2.keys() if _meaning(top[name]) != _meaning(v2[name])):
        raise LookupError(f"{', '.join(differing)}: defined twice, with different schemas")
    return {**top, **v2}


def _meaning(schema: Json) -> Json:
    """Return a schema without its words."""
    if isinstance(schema, list):
        return [_meaning(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    solid = {key: part for key, part in schema.items() if key not in _WORDS}
    # The names of properties are not keywords, although some are called `title`.
    properties = {name: _meaning(part) for name, part in solid.pop("properties", {}).items()}
    return {**{key: _meaning(part) for key, part in solid.items()}, "properties": properties}
