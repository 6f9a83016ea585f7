"""Secrets: in no message, no listing, no representation; and not in files that others can read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otari_daemon.config.load import load, load_file
from otari_daemon.config.problems import ConfigError
from otari_daemon.config.secret import MASK, Secret, SecretUrl
from otari_daemon.config.views import shown

CANARY = "sk-canary-5f3a-9b1d"

WITH_SECRETS = f"""
database_url: postgresql://otari:{CANARY}@db/otari
providers:
  openai:
    api_key: {CANARY}
    http_client: httpx
    proxy: http://me:{CANARY}@proxy:3128
    client_args: {{custom_headers: {{Authorization: "{CANARY}"}}}}
"""


def test_a_configuration_shows_no_secret_in_any_form() -> None:
    config = load(WITH_SECRETS, source="c.yml", environ={"XAI_API_KEY": CANARY})

    for form in (
        repr(config),
        str(config),
        f"{config.providers['openai'].api_key}",
        json.dumps(shown(config)),
        config.digest,
    ):
        assert CANARY not in form
    assert shown(config)["database_url"] == f"postgresql://otari:{MASK}@db/otari"
    assert config.providers["openai"].client_args.custom_headers["Authorization"].reveal() == CANARY


@pytest.mark.parametrize(
    "text",
    [
        "providers:\n openai:\n  api_key: {canary} {canary}",
        "providers:\n openai:\n  api_key: [{canary}]",
        "providers:\n openai:\n  api_key: {{a: {canary}}}",
        "providers:\n openai:\n  api_key: *{canary}",
        "providers:\n openai:\n  api_key: !{canary} x",
        "providers:\n openai:\n  api_key: %{canary}",
        "providers:\n openai:\n  api_key: '{canary}",
        "providers:\n openai:\n  api_key: ${{{canary}}}",
        "providers:\n openai:\n  api_key: a: {canary}",
        "port:{canary}\nhost: a",
        "database_url: mysql://u:{canary}@h/db",
        "providers: {{openai: {canary}}}",
        "providers: {{openai:{canary}}}",
        "providers: {{openai: {{api_key:{canary}}}}}",
        "providers: {{openai: {{api_base: 'https://u:{canary}@h'}}}}",
        "providers: {{openai: {{client_args: {{custom_headers: {{'X:{canary}': a}}}}}}}}",
        "port: {canary}",
        "log_level: {canary}",
        "admin_uids: [{canary}]",
        "pricing: {{'x:m': {{input_price_per_million: {canary}, output_price_per_million: 1}}}}",
        "port: ${{KEY}}",
    ],
)
def test_no_message_repeats_a_value(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text.format(canary=CANARY), source="c.yml", environ={"KEY": CANARY})

    assert "canary" not in str(caught.value)
    assert "canary" not in repr(caught.value.problems)


def test_a_bad_secret_in_the_environment_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, source="c.yml", environ={"OPENAI_API_KEY": f"{CANARY} x", "OTARI_PORT": CANARY})

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "mode", "refused"),
    [
        ("providers: {openai: {api_key: abc}}", 0o644, True),
        ("providers: {openai: {api_key: abc}}", 0o640, False),
        ("providers: {openai: {api_key: abc}}", 0o600, False),
        ("providers: {openai: {api_key: '${KEY}'}}", 0o644, False),
        ("database_url: postgresql://u:pw@h/db", 0o644, True),
        ("database_url: postgresql:///db", 0o644, False),
        ("providers: {openai: {client_args: {custom_headers: {X-Key: abc}}}}", 0o604, True),
        ("port: 1", 0o644, False),
    ],
)
def test_a_secret_written_out_where_others_can_read_it_is_refused(
    tmp_path: Path, text: str, mode: int, refused: bool
) -> None:
    path = tmp_path / "config.yml"
    path.write_text(text)
    path.chmod(mode)

    if not refused:
        assert load_file(path, environ={"KEY": "k"})
        return
    with pytest.raises(ConfigError, match="holds a secret in a file that every user can read, chmod 640"):
        load_file(path, environ={})


def test_a_secret_is_compared_by_value_and_formats_as_a_mask() -> None:
    secret = Secret("abc")

    assert secret == Secret("abc")
    assert secret != Secret("abd")
    assert secret != "abc"
    assert [str(secret), repr(secret), f"{secret}"] == [MASK, f"Secret('{MASK}')", MASK]
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("sqlite:////var/lib/otari/otari.db", "sqlite:////var/lib/otari/otari.db"),
        ("postgresql://u@h:5432/db?sslmode=require", "postgresql://u@h:5432/db?sslmode=require"),
        ("postgresql://u:p@h/db", f"postgresql://u:{MASK}@h/db"),
        ("postgresql://u:p@/:?w@h/db", f"postgresql://u:{MASK}@h/db"),
        ("postgresql://h/db?password=p&x=1", f"postgresql://h/db?password={MASK}&x=1"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, masked: str) -> None:
    assert str(SecretUrl(url)) == masked
    assert SecretUrl(url).sensitive is (url != masked)


def test_of_the_master_key_only_its_hash_is_kept() -> None:
    config = load(None, source="none", environ={"OTARI_MASTER_KEY": CANARY})
    key = config.master_key

    assert key is not None
    assert (key.matches(CANARY.encode()), key.matches(b""), key.matches(b"\xff")) == (True, False, False)
    assert not key.matches(key.reveal().encode()), "its hash does not open what it opens"
    for form in (repr(config), json.dumps(shown(config)), key.reveal(), config.digest):
        assert CANARY not in form
    assert config.digest != load(None, source="none", environ={"OTARI_MASTER_KEY": CANARY + "x"}).digest


@pytest.mark.parametrize(
    "key", ["''", "short-of-sixteen"[:-1], "'with a space in it'", "[]", "12345678901234567"]
)
def test_a_master_key_that_is_hardly_one_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="master_key must be a secret of at least 16 printable characters"):
        load(f"master_key: {key}", source="c.yml", environ={})


@pytest.mark.parametrize(
    ("value", "told"), [("", "OTARI_MASTER_KEY is set but empty"), ("short", "at least 16")]
)
def test_a_master_key_in_the_environment_is_as_strict(value: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load(None, source="none", environ={"OTARI_MASTER_KEY": value})


def test_nobody_has_a_master_key_who_was_not_given_one() -> None:
    assert load("master_key: null", source="c.yml", environ={}).master_key is None
