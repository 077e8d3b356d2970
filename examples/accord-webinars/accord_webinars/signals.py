"""The signal type of this package: somebody registered for a webinar."""

from __future__ import annotations

from domain.entities import EntityId
from domain.signals import SignalData

TYPE = "webinars.registration.received"


# --8<-- signal
class RegistrationReceived(SignalData):
    """`data` of a `webinars.registration.received` event; one that does not fit is refused with its field named."""

    webinar: EntityId
    person: EntityId
    account: EntityId | None = None


# --8<-- end
