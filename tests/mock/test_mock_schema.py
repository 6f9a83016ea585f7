"""The smallest value a schema accepts."""

from contextlib import suppress
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from otari_daemon.mock.refusal import Refused
from otari_daemon.mock.schema import smallest


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, ""),
        ({"type": "string", "minLength": 3}, "xxx"),
        ({"type": "string", "format": "date"}, "1970-01-01"),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
        ({"type": "number", "minimum": 0.25, "maximum": 0.5}, 0.25),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5}, 0.25),
        ({"type": "boolean"}, False),
        ({"type": ["null", "string"]}, None),
        ({"enum": ["b", "a"]}, "b"),
        ({"const": {"x": 1}}, {"x": 1}),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
        ({"properties": {"a": {"type": "string"}}, "required": ["a", "b"]}, {"a": "", "b": None}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 7}}}, 7),
        (True, None),
    ],
)
def test_the_smallest_value_of(schema: Any, value: Any) -> None:
    assert smallest(schema) == value


class Leaf(BaseModel):
    kind: Literal["leaf"]
    size: int = Field(gt=2, multiple_of=4)


class Tree(BaseModel):
    leaf: Leaf
    leaves: list[Leaf] = Field(min_length=2)
    child: "Tree | None"
    either: int | str


def test_it_satisfies_schemas_with_references_and_combinations() -> None:
    flattened = {**Tree.model_json_schema()}
    flattened = {"$defs": flattened["$defs"], **flattened["$defs"].get("Tree", flattened)}
    flattened["properties"]["child"] = {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Tree"}]}

    tree = Tree.model_validate(smallest(flattened))

    assert tree.leaf.size == 4
    assert len(tree.leaves) == 2


def test_all_of_asks_for_everything_its_parts_require() -> None:
    part = {"properties": {"a": {"const": 1}}, "required": ["a"]}
    other = {"properties": {"b": {"const": 2}}, "required": ["b"]}

    assert smallest({"type": "object", "allOf": [part, other]}) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/missing"},
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "array", "minItems": 10**30, "items": {"type": "integer"}},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"$ref": "#/a", "a": {"allOf": [{"$ref": "#/a"}] * 9}},
    ],
)
def test_a_schema_without_a_small_instance_is_refused(schema: Any) -> None:
    with pytest.raises(Refused) as refused:
        smallest(schema)

    assert refused.value.status == 400


@pytest.mark.parametrize("odd", ["minLength", "minItems", "minimum", "required", "properties"])
@pytest.mark.parametrize("value", ["x", {}, [[]], None, 1e300, -1, 10**400])
@pytest.mark.parametrize("kind", ["string", "array", "number", "object"])
def test_nonsense_in_a_schema_is_answered_or_refused(kind: str, odd: str, value: Any) -> None:
    with suppress(Refused):
        smallest({"type": kind, odd: value})
