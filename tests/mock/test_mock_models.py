"""Model names and their arguments."""

import pytest

from otari_daemon.mock.faults import FAULTS, find_fault
from otari_daemon.mock.models import MODEL_IDS, Model, read_model
from otari_daemon.mock.refusal import Refused


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("echo", Model()),
        ("lorem", Model(lorem=32)),
        ("lorem:7", Model(lorem=7)),
        ("slow:250", Model(first_ms=250)),
        ("drip:4:10", Model(lorem=4, gap_ms=10)),
        ("drip:4", Model(lorem=4, gap_ms=50)),
        ("cached:5", Model(cached=5)),
        ("reasoning:6", Model(reasoning=6)),
        ("tokens", Model(by_tokens=True)),
        ("fault:s429:3", Model(fault=("s429", "3"))),
    ],
)
def test_a_name_is_read_with_its_arguments(name: str, model: Model) -> None:
    assert read_model(name) == model


def test_every_listed_model_works_without_arguments() -> None:
    for name in MODEL_IDS:
        read_model(name)


@pytest.mark.parametrize("name", ["", "gpt-4", "Echo", "fault", "mock:echo"])
def test_an_unknown_model_is_not_found(name: str) -> None:
    with pytest.raises(Refused) as refused:
        read_model(name)

    assert refused.value.status == 404
    assert b"model_not_found" in refused.value.body


@pytest.mark.parametrize(
    "name",
    ["echo:1", "lorem:x", "lorem:-1", "lorem:", "lorem:1000001", "lorem:\u0662", "drip:1:2:3"],
)
def test_a_bad_argument_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        read_model(name)

    assert refused.value.status == 400


@pytest.mark.parametrize("args", [("nope",), ("",), ("s500", "1"), ("s429", "x"), ("s429", "1", "2")])
def test_a_bad_fault_is_refused(args: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as refused:
        find_fault(*args)

    assert refused.value.status == 400


def test_a_fault_takes_its_default_number_or_the_one_given() -> None:
    assert find_fault("s429") == (FAULTS["s429"], 1)
    assert find_fault("s429", "30") == (FAULTS["s429"], 30)
