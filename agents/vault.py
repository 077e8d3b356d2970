"""The rights to write: secrets of connectors, handed out for one authorised action at a time.

What a connector is built with can only read; the secrets named under `connectors.<name>.secrets` reach it inside
the one call for which they are released.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.actions import Action, ActionStatus
from domain.effects import Effect, EffectStatus
from domain.errors import Forbidden, TerminalError

Reader = Callable[[str], str | None]
"""Gives the secret of an environment variable, or of the file that `<name>_FILE` names."""


class Vault:
    """Knows the names of secrets; reads their values when they are released, never before."""

    def __init__(self, names: Mapping[str, Mapping[str, str]], read: Reader) -> None:
        """`names` gives, by connector, each secret's own name and the variable that holds it."""
        self._names, self._read = names, read

    def release(self, connector: str, action: Action, effect: Effect) -> Mapping[str, str]:
        """The secrets of `connector` for the call that `effect` wrote down beforehand.

        Raises Forbidden when action and effect do not authorise exactly this call, TerminalError when a secret is
        not set.
        """
        _refuse_unless_authorised(connector, action, effect)
        found: dict[str, str] = {}
        for name, variable in self._names.get(connector, {}).items():
            value = self._read(variable)
            if not value:
                raise TerminalError(f"Connector {connector!r} lacks its secret {name!r}. Set {variable}.")
            found[name] = value
        return found


def _refuse_unless_authorised(connector: str, action: Action, effect: Effect) -> None:
    bound = (
        action.status is ActionStatus.EXECUTING
        and effect.status is EffectStatus.STARTED
        and effect.connector == connector
        and effect.action == action.id
        and effect.argument_hash == action.spec.argument_hash
        and effect.idempotency_key == action.idempotency_key
    )
    if not bound or not action.authorised_by or effect.authorised_by != action.authorised_by:
        raise Forbidden(f"Nothing authorises {action.id} to write by {connector!r}. Secrets stay where they are.")
