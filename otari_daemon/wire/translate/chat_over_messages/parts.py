"""Parts of a Chat message said as Messages blocks: text, refusals, pictures, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import items, mapping, refuse, text
from otari_daemon.wire.translate.media import IMAGE_TYPES, is_remote, split_data_url


def blocks_of(content: Any, path: str, kinds: tuple[str, ...]) -> list[Body]:
    """Content as blocks of the given `kinds`; empty texts, which Messages refuses, are left out."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    blocks = []
    for at, part in enumerate(items(content, path)):
        here = f"{path}[{at}]"
        kind = mapping(part, here).get("type")
        if kind not in kinds:
            refuse(f"{here}.type", f"must be one of {', '.join(kinds)} here for this provider")
        block = _PARTS[kind](part, here)
        if block.get("text") != "":
            blocks.append(_marked(block, part))
    return blocks


def _text(part: Body, path: str) -> Body:
    return {"type": "text", "text": text(part.get("text"), f"{path}.text")}


def _refusal(part: Body, path: str) -> Body:
    return {"type": "text", "text": text(part.get("refusal"), f"{path}.refusal")}


def _image(part: Body, path: str) -> Body:
    named = mapping(part.get("image_url"), f"{path}.image_url")
    url = text(named.get("url"), f"{path}.image_url.url")
    if is_remote(url):
        return {"type": "image", "source": {"type": "url", "url": url}}
    data = split_data_url(url, f"{path}.image_url.url")
    if data.media_type not in IMAGE_TYPES:
        refuse(f"{path}.image_url.url", f"must be one of {', '.join(sorted(IMAGE_TYPES))}")
    return {"type": "image", "source": {"type": "base64", "media_type": data.media_type, "data": data.base64}}


def _file(part: Body, path: str) -> Body:
    file = mapping(part.get("file"), f"{path}.file")
    block: Body = {"type": "document", "source": _file_source(file, f"{path}.file")}
    if file.get("filename") is not None:
        block["title"] = text(file["filename"], f"{path}.file.filename")
    return block


def _file_source(file: Body, path: str) -> Body:
    if file.get("file_data") is None:
        return {"type": "file", "file_id": text(file.get("file_id"), f"{path}.file_id")}
    data = split_data_url(text(file["file_data"], f"{path}.file_data"), f"{path}.file_data")
    if data.media_type != "application/pdf":
        refuse(f"{path}.file_data", "must be application/pdf for this provider; send other texts as text")
    return {"type": "base64", "media_type": data.media_type, "data": data.base64}


def _marked(block: Body, part: Body) -> Body:
    """Keep the mark of a prompt that is worth caching, in either spelling."""
    if isinstance(part.get("cache_control"), dict):
        block["cache_control"] = part["cache_control"]
    elif isinstance(part.get("prompt_cache_breakpoint"), dict):
        block["cache_control"] = {"type": "ephemeral"}
    return block


_PARTS: dict[str, Callable[[Body, str], Body]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "file": _file,
}
