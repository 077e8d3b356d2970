"""Names that `model` may take, and where each leads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from api.openai.errors import BadParameter, UnknownModel
from api.schemas.openai import Model
from providers.registry import Provider

AUTO = "auto"
TASK = "chat"
"""The task of a call that names none."""
_TASK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Lead:
    """What a model's name asks for: the task that routing and budgets see, and the one provider, if it is pinned."""

    task: str
    provider: str | None = None


def lead_of(model: str, providers: Iterable[Provider]) -> Lead:
    """Where `model` leads. Raises UnknownModel naming what exists, BadParameter for a task that is no name."""
    if model == AUTO:
        return Lead(TASK)
    kind, colon, task = model.partition(":")
    if kind == AUTO and colon:
        if _TASK.fullmatch(task) is None:
            raise BadParameter("model", f"{task!r} is no task. Use letters, digits, `_`, `-` and `.`, at most 64.")
        return Lead(task)
    names = [provider.name for provider in providers]
    if model in names:
        return Lead(TASK, provider=model)
    listed = ", ".join(repr(name) for name in names) or "no provider is configured"
    raise UnknownModel(
        f"There is no model {model!r}. Use 'auto', 'auto:<task>', or a provider: {listed}.", param="model"
    )


def listed(providers: Iterable[Provider]) -> list[Model]:
    """`auto`, then what can be called now."""
    own = Model(id=AUTO, object="model", created=0, owned_by="accord")
    return [own, *(_model(provider) for provider in providers)]


def _model(provider: Provider) -> Model:
    return Model(id=provider.name, object="model", created=0, owned_by=provider.spec.vendor)
