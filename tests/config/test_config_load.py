"""Text, environment and options together: who wins, and what is said when something is wrong."""

from __future__ import annotations

import pytest

from otari_daemon.config.environment import Overrides
from otari_daemon.config.load import load
from otari_daemon.config.problems import ConfigError
from otari_daemon.config.schema import Config


def read(
    text: str | None, environ: dict[str, str] | None = None, **overrides: str | int | bool | None
) -> Config:
    """Load with options written as keywords, two underscores for a dot."""
    options: Overrides = {key.replace("__", "."): value for key, value in overrides.items()}
    return load(text, source="config.yml", environ=environ or {}, overrides=options)


def refusal(
    text: str | None, environ: dict[str, str] | None = None, **overrides: str | int | bool | None
) -> str:
    """Give the words for a configuration that must be refused."""
    with pytest.raises(ConfigError) as caught:
        read(text, environ, **overrides)
    return str(caught.value)


def test_nothing_at_all_is_every_default() -> None:
    assert read(None) == Config() == read("{}")


@pytest.mark.parametrize(
    ("text", "environ", "option", "port"),
    [
        (None, {}, None, 8000),
        ("port: 1", {}, None, 1),
        ("port: 1", {"OTARI_PORT": "2"}, None, 2),
        ("port: 1", {"OTARI_PORT": ""}, None, 1),
        ("port: 1", {"OTARI_PORT": "2"}, 3, 3),
        (None, {"OTARI_PORT": "2"}, None, 2),
        (None, {}, 3, 3),
    ],
)
def test_an_option_beats_the_environment_beats_the_file_beats_the_default(
    text: str | None, environ: dict[str, str], option: int | None, port: int
) -> None:
    assert read(text, environ, port=option).port == port


def test_every_kind_of_value_can_come_from_the_environment() -> None:
    config = read(
        "ledger: {durability: before_response}\nmock: true",
        {
            "OTARI_LEDGER_DURABILITY": "before_dispatch",
            "OTARI_MOCK": "no",
            "OTARI_LIMITS_QUEUE_WAIT_S": "0.5",
            "OTARI_DATABASE_URL": "postgresql://u:p@h/db",
            "OTARI_ADMIN_UIDS": "1000, 1001",
            "OTARI_CONFIG": "/elsewhere.yml",
        },
    )

    assert config.ledger.durability == "before_dispatch"
    assert config.mock is False
    assert config.limits.queue_wait_s == 0.5
    assert config.database_url is not None
    assert config.database_url.reveal() == "postgresql://u:p@h/db"
    assert config.admin_uids == (1000, 1001)


def test_a_bad_override_is_named_by_its_variable_or_option() -> None:
    assert refusal("port: 1", {"OTARI_PORT": "x"}).startswith("OTARI_PORT must be a whole number")
    assert refusal(None, ledger__durability="x").startswith("--ledger-durability must be one of")
    assert refusal(None, {"OTARI_ALIASES": "x"}) == "OTARI_ALIASES must be a section of keys"
    assert refusal(None, prot=1) == 'no key "prot" to override'


def test_a_bad_value_in_the_file_is_told_even_if_it_is_outranked() -> None:
    assert "config.yml:1:7: port must be" in refusal("port: x", {"OTARI_PORT": "2"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot: 1", '1:1: unknown key "prot" at the top level, did you mean "port"?'),
        ("limits:\n  max_queud: 3", '2:3: unknown key "max_queud" in limits, did you mean "max_queued"?'),
        ("<<: {}", '1:1: unknown key "<<" at the top level'),
        ("port: eighty", "1:7: port must be a whole number from 0 to 65535"),
        ("port: '80'", "1:7: port must be a whole number from 0 to 65535"),
        ("port: 70000", "1:7: port must be a whole number from 0 to 65535"),
        ("port: [1]", "1:7: port must be a whole number from 0 to 65535"),
        ("port:", "1:6: port must be a whole number from 0 to 65535"),
        ("mock: yes", "1:7: mock must be true or false"),
        ("host: true", "1:7: host must be a host name or address, in quotes"),
        ("ledger: fast", "1:9: ledger must be a section of keys"),
        ("admin_uids: 5", "1:13: admin_uids must be a list"),
        ("admin_uids: [1, x]", "1:17: admin_uids.1 must be a whole number"),
        ("database_url: mysql://x", "1:15: database_url must be a sqlite:// or postgresql:// URL"),
        ("port: ${PORT}", "1:7: port: environment variable PORT is not set"),
        ("host: ${A${B}}", "1:7: host: ${...} takes the name of one environment variable"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_way_out(text: str, words: str) -> None:
    assert refusal(text).startswith(f"config.yml:{words}")


def test_all_mistakes_are_told_together_in_the_order_of_the_file() -> None:
    told = refusal("zzz: 1\nport: x\nlimits:\n  max_in_flight: 0\nmock: 3\n").splitlines()

    assert [line.split(":")[1] for line in told] == ["1", "2", "4", "5"]


def test_a_variable_is_replaced_inside_a_value_and_takes_the_type_of_its_key() -> None:
    config = read("port: ${P}\nhost: 127.0.0.${N}", {"P": "9", "N": "2"})

    assert (config.port, config.host) == (9, "127.0.0.2")


def test_what_a_variable_holds_is_not_replaced_again_and_keys_are_left_alone() -> None:
    assert read("state_dir: ${A}", {"A": "${B}", "B": "x"}).state_dir == "${B}"
    assert 'unknown key "…"' in refusal("${A}: 1", {"A": "port"})


def test_text_that_only_looks_like_a_variable_stays_as_it_is() -> None:
    assert read("state_dir: $HOME${", {"HOME": "x"}).state_dir == "$HOME${"


def test_an_empty_section_is_its_defaults() -> None:
    assert read("limits:\nproviders:\nadmin_uids:\nledger:\n") == Config()


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read("\ufeffport: 1").port == 1
