"""Segment's spec as signals: identify and group declare entities, page and content tracks are engagement. Pure.

Other tracks are kept under the type `segment.track`, for detectors of extensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast
from urllib.parse import quote, urlsplit

from domain.ids import digest

Call = Literal["track", "identify", "group", "page", "screen", "alias"]
_MAX_NAME = 180
_CONTENT_KEYS = ("asset", "asset_id", "content_id", "content_asset_id", "video_id")


def to_events(call: str, message: Mapping[str, Any], source: str) -> Iterator[dict[str, Any]]:
    """The CloudEvents of one Segment call from `source`; a call without `messageId` is named by its content."""
    number = str(message.get("messageId") or digest(dict(message))[:32])
    time = message.get("timestamp") or message.get("originalTimestamp") or message.get("sentAt")
    for part, (type_, data) in enumerate(_signals(call, message)):
        event = {
            "specversion": "1.0",
            "id": number if part == 0 else f"{number}/{part}",
            "source": source,
            "type": type_,
            "data": data,
        }
        yield event if time is None else {**event, "time": time}


def _signals(call: str, message: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    match call:
        case "identify":
            yield "accord.entity.declared", _person_declared(message, _mapping(message, "traits"))
        case "group":
            yield "accord.entity.declared", _account_declared(message)
            yield "accord.entity.declared", _person_declared(message, _mapping(_mapping(message, "context"), "traits"))
        case "page" | "screen":
            yield "accord.content.engaged", _engaged(message, _page_name(message), "web" if call == "page" else "app")
        case "track" if (asset := _content(message)) is not None:
            yield "accord.content.engaged", _engaged(message, asset, str(_properties(message).get("platform") or "web"))
        case _:
            kept = ("event", "userId", "anonymousId", "properties", "traits", "context", "groupId", "previousId")
            yield f"segment.{call}", {key: message[key] for key in kept if key in message}


def _person_declared(message: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    person = _person(message)
    full = " ".join(str(traits[key]) for key in ("firstName", "lastName") if traits.get(key))
    account = _account(message, traits)
    return {
        "id": person,
        "name": str(traits.get("name") or full or traits.get("email") or person.partition(":")[2])[:300],
        "attrs": dict(traits),
        **({"parent": account} if account else {}),
    }


def _account_declared(message: Mapping[str, Any]) -> dict[str, Any]:
    traits = _mapping(message, "traits")
    account = f"account:{_name(message.get('groupId'))}"
    return {"id": account, "name": str(traits.get("name") or message.get("groupId"))[:300], "attrs": dict(traits)}


def _engaged(message: Mapping[str, Any], asset: str, platform: str) -> dict[str, Any]:
    traits = _mapping(_mapping(message, "context"), "traits")
    properties = _properties(message)
    found = {
        "person": _person(message),
        "email": traits.get("email"),
        "account": _account(message, traits),
        "role": traits.get("title"),
        "asset": f"asset:{_name(asset)}",
        "platform": platform,
        "seconds": properties.get("seconds") or properties.get("duration"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _person(message: Mapping[str, Any]) -> str:
    return f"person:{_name(message.get('userId') or message.get('anonymousId'))}"


def _account(message: Mapping[str, Any], traits: Mapping[str, Any]) -> str | None:
    """The account that the call names: `groupId`, or the person's company."""
    company = _mapping(traits, "company")
    found = (
        message.get("groupId")
        or _mapping(message, "context").get("groupId")
        or company.get("id")
        or company.get("name")
        or (traits.get("company") if isinstance(traits.get("company"), str) else None)
    )
    return f"account:{_name(found)}" if found else None


def _page_name(message: Mapping[str, Any]) -> str:
    properties, page = _properties(message), _mapping(_mapping(message, "context"), "page")
    path = properties.get("path") or page.get("path") or urlsplit(str(properties.get("url") or "")).path
    return str(path or properties.get("name") or message.get("name") or "page").strip("/") or "home"


def _content(message: Mapping[str, Any]) -> str | None:
    properties = _properties(message)
    return next((str(properties[key]) for key in _CONTENT_KEYS if properties.get(key)), None)


def _properties(message: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(message, "properties")


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _name(value: object) -> str:
    """`value` as the name part of an entity id: spaces and colons escaped, nothing folded together."""
    return quote(str(value or ""), safe="@.-_+/")[:_MAX_NAME]
