"""What schemathesis cannot know: objects that exist, and that waiting takes time."""

import json
import os
from typing import Any

import schemathesis

# Ids by their prefix, of objects that may suffer.
EXISTING: dict[str, str] = json.loads(os.environ["FUZZ_IDS"])


def prefixes(operation: Any) -> dict[str, str]:
    """What the ids in an operation's path begin with, as its examples show."""
    shown = {
        parameter["name"]: str(parameter.get("example", ""))
        for parameter in operation.definition.raw.get("parameters", [])
    }
    return {name: example.split("_")[0] for name, example in shown.items()}


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> Any:
    """About every second text becomes an id of something: else all would be not found."""
    expected = prefixes(context.operation)
    for name, value in (path_parameters or {}).items():
        known = EXISTING.get(expected.get(name, ""))
        if known and isinstance(value, str) and len(value) % 2:
            path_parameters[name] = known
    return path_parameters


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> Any:
    """A position that is far away is waited for two seconds, and then it is a 503 by design."""
    position = (query or {}).get("at_least")
    if isinstance(position, int) and not isinstance(position, bool) and position > 1:
        query["at_least"] = position % 2
    return query
