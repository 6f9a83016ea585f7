"""Blocks of a Messages turn said as Chat parts: text, pictures, documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otari_daemon.wire.dialect import Body
from otari_daemon.wire.translate.fields import items, mapping, refuse, text
from otari_daemon.wire.translate.media import data_url


def parts_of(blocks: list[Any], path: str, kinds: tuple[str, ...]) -> list[Body]:
    """Blocks of the given `kinds` as Chat parts; marks for caching are left out, since Chat has none."""
    found = (parts_of_one(block, f"{path}[{at}]", kinds) for at, block in enumerate(blocks))
    return [part for parts in found for part in parts]


def parts_of_one(block: Any, path: str, kinds: tuple[str, ...]) -> list[Body]:
    """One block of the given `kinds` as Chat parts: a document may have several."""
    kind = mapping(block, path).get("type")
    if kind not in kinds:
        refuse(f"{path}.type", f"must be one of {', '.join(kinds)} here for this provider")
    return _BLOCKS[kind](block, path)


def _text(block: Body, path: str) -> list[Body]:
    return [{"type": "text", "text": text(block.get("text"), f"{path}.text")}]


def _image(block: Body, path: str) -> list[Body]:
    source = mapping(block.get("source"), f"{path}.source")
    if source.get("type") == "url":
        url = text(source.get("url"), f"{path}.source.url")
    elif source.get("type") == "base64":
        url = _data_url(source, f"{path}.source")
    else:
        refuse(f"{path}.source.type", "must be base64 or url for this provider")
    return [{"type": "image_url", "image_url": {"url": url}}]


def _document(block: Body, path: str) -> list[Body]:
    if mapping(block.get("citations") or {}, f"{path}.citations").get("enabled"):
        refuse(f"{path}.citations", "cannot be had from this provider")
    source, here = mapping(block.get("source"), f"{path}.source"), f"{path}.source"
    title = block.get("title")
    name = "document.pdf" if title is None else text(title, f"{path}.title")
    match source.get("type"):
        case "base64":
            return [_file({"filename": name, "file_data": _data_url(source, here)})]
        case "file":
            return [_file({"file_id": text(source.get("file_id"), f"{here}.file_id")})]
        case "text":
            return _titled(block, [{"type": "text", "text": text(source.get("data"), f"{here}.data")}])
        case "content":
            return _titled(block, _content(source.get("content"), f"{here}.content"))
    return refuse(f"{here}.type", "must be base64, text, content or file for this provider")


def _content(content: Any, path: str) -> list[Body]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return parts_of(items(content, path), path, ("text", "image"))


def _titled(block: Body, parts: list[Body]) -> list[Body]:
    """The parts of a document after its title and context, which Chat has only as text."""
    heads = [block[name] for name in ("title", "context") if isinstance(block.get(name), str)]
    return [{"type": "text", "text": "\n".join(heads)}, *parts] if heads else parts


def _file(file: Body) -> Body:
    return {"type": "file", "file": file}


def _data_url(source: Body, path: str) -> str:
    kind = text(source.get("media_type"), f"{path}.media_type")
    return data_url(kind, text(source.get("data"), f"{path}.data"))


_BLOCKS: dict[str, Callable[[Body, str], list[Body]]] = {
    "text": _text,
    "image": _image,
    "document": _document,
}
