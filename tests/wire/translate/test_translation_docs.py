"""docs/translation.md names every field that is left out or refused, for each direction."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otari_daemon.wire.translate.chat_over_messages import request as chat
from otari_daemon.wire.translate.chat_over_messages.thinking import BUDGETS
from otari_daemon.wire.translate.fields import Fields
from otari_daemon.wire.translate.foreign import CHAT_ONLY
from otari_daemon.wire.translate.messages_over_chat import request as messages
from otari_daemon.wire.translate.responses_over_chat import request as responses

PAGE = (Path(__file__).parents[3] / "docs" / "translation.md").read_text(encoding="utf-8")
DIRECTIONS = {
    "Chat to Messages": chat.FIELDS,
    "Messages to Chat": messages.FIELDS,
    "Responses to Chat": responses.FIELDS,
}


def named(section: str, direction: str) -> set[str]:
    """The fields that an item of a section's list names."""
    text = PAGE.partition(f"### {section}\n")[2].partition("\n#")[0]
    item = re.search(rf"^- {direction}: (.*?)(?=^- |\Z)", text, re.MULTILINE | re.DOTALL)
    assert item
    found = {each.partition(":")[0] for each in re.findall(r"`([a-z_]+(?:: \w+)?)`", item[1])}
    return found | (set(CHAT_ONLY) if "those of the line above" in item[1] else set())


@pytest.mark.parametrize(("direction", "fields"), DIRECTIONS.items(), ids=DIRECTIONS)
def test_the_page_names_what_is_left_out(direction: str, fields: Fields) -> None:
    assert named("Left out", direction) == fields.dropped


@pytest.mark.parametrize(("direction", "fields"), DIRECTIONS.items(), ids=DIRECTIONS)
def test_the_page_names_what_is_refused(direction: str, fields: Fields) -> None:
    assert named("Refused", direction) == set(fields.refused)


def test_the_page_tells_the_budgets() -> None:
    for effort, budget_tokens in BUDGETS.items():
        assert f"{effort} {budget_tokens:,}" in PAGE
