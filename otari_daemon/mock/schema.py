"""The smallest value a JSON Schema accepts, for tool arguments and `response_format`.

Covers what model APIs accept: types, enum, const, required properties, arrays, references and
combinations. `pattern` is beyond it and ignored.
"""

import math
from typing import Any

from otari_daemon.mock.refusal import Refused

MAX_DEPTH = 32
MAX_STEPS = 10_000
MAX_STRING = 10_000
MAX_NUMBER = 2**53
MIN_STEP = 1e-9
MAX_TOLD = 200

_FORMATS = {
    "date-time": "1970-01-01T00:00:00Z",
    "date": "1970-01-01",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "a@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def smallest(schema: object) -> Any:
    """A JSON value that `schema` accepts; `Refused` (400) when none is found within the bounds."""
    return _Search(schema).value(schema, 0)


class _Search:
    def __init__(self, root: object) -> None:
        self._root = root
        self._steps_left = MAX_STEPS

    def value(self, schema: object, depth: int) -> Any:
        self._spend(depth)
        if not isinstance(schema, dict):
            return None
        schema = self._flat(schema, depth)
        if "const" in schema:
            return schema["const"]
        enum = schema.get("enum")
        if isinstance(enum, list) and enum:
            return enum[0]
        return self._typed(_type_of(schema), schema, depth)

    def _spend(self, depth: int) -> None:
        """Bound the search, which references can make endless and combinations exponential."""
        self._steps_left -= 1
        if depth > MAX_DEPTH or self._steps_left < 0:
            raise Refused(400, "the schema has no small instance")

    def _typed(self, kind: str, schema: dict[str, Any], depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return _string(schema)
            case "integer" | "number":
                return _number(schema, kind)
            case "boolean":
                return False
            case _:
                return None

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        known = properties if isinstance(properties, dict) else {}
        names = [str(name) for name in _required(schema)]
        return {name: self.value(known.get(name), depth + 1) for name in names}

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        fixed = schema.get("prefixItems")
        firsts = fixed if isinstance(fixed, list) else []
        count = max(0, min(_whole(schema.get("minItems"), 0), MAX_STEPS))
        schemas = [*firsts, *[schema.get("items")] * (count - len(firsts))][:count]
        return [self.value(item, depth + 1) for item in schemas]

    def _flat(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """`schema` with its reference followed and its combinations merged into one."""
        flat = {k: v for k, v in schema.items() if k not in ("$ref", "allOf", "anyOf", "oneOf")}
        parts: list[object] = []
        if "$ref" in schema:
            parts.append(self._referenced(schema["$ref"]))
        for key, take in (("allOf", None), ("anyOf", 1), ("oneOf", 1)):
            choices = schema.get(key)
            parts.extend(choices[:take] if isinstance(choices, list) else ())
        for part in parts:
            self._spend(depth)
            if isinstance(part, dict):
                flat = _merged(flat, self._flat(part, depth + 1))
        return flat

    def _referenced(self, pointer: object) -> object:
        at: object = self._root
        for step in str(pointer).removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(at, dict) or name not in at:
                raise Refused(
                    400, f"the schema does not define {str(pointer)[:MAX_TOLD]!r}, to which it refers"
                )
            at = at[name]
        return at


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {**other, **one}
    if "required" in one and "required" in other:
        both["required"] = [*_required(one), *_required(other)]
    mine, theirs = one.get("properties"), other.get("properties")
    if isinstance(mine, dict) and isinstance(theirs, dict):
        both["properties"] = {**theirs, **mine}
    return both


def _required(schema: dict[str, Any]) -> list[Any]:
    names = schema.get("required")
    return names if isinstance(names, list) else []


def _type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "null"


def _string(schema: dict[str, Any]) -> str:
    length = min(_whole(schema.get("minLength"), 0), MAX_STRING)
    known = _FORMATS.get(str(schema.get("format")), "")
    return known + "x" * (length - len(known))


def _number(schema: dict[str, Any], kind: str) -> float:
    """The accepted number nearest to zero among zero and those beside the bounds."""
    minimum = _limit(schema, "minimum", -math.inf)
    maximum = _limit(schema, "maximum", math.inf)
    above = _limit(schema, "exclusiveMinimum", -math.inf)
    below = _limit(schema, "exclusiveMaximum", math.inf)
    step = max(_limit(schema, "multipleOf", 1), MIN_STEP)
    tries: list[float] = [0]
    for limit in (minimum, above, maximum, below):
        if math.isfinite(limit):
            multiple = math.floor(limit / step) * step
            tries += [multiple - step, multiple, multiple + step]
    if kind == "number":
        tries += [minimum, maximum, (above + below) / 2]
    accepted = [
        number
        for number in tries
        if minimum <= number <= maximum
        and above < number < below
        and math.isfinite(number)
        and (kind == "number" or number == int(number))
    ]
    if not accepted:
        raise Refused(400, "the schema has no small number")
    nearest = min(accepted, key=abs)
    return int(nearest) if kind == "integer" else nearest


def _limit(schema: dict[str, Any], key: str, default: float) -> float:
    value = schema.get(key)
    return value if isinstance(value, int | float) and abs(value) < MAX_NUMBER else default


def _whole(value: object, default: int) -> int:
    return int(value) if isinstance(value, int | float) else default
