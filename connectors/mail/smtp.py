"""Mail over SMTP: one connection for each message, encrypted where the server can, always where a password is sent."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from domain.errors import TerminalError, TransientError

LIMIT_S = 20.0
_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends through the server at `url` (`smtp://user@host:587`); `password` is read when it is needed."""

    url: str
    password: Callable[[], str | None]
    limit_s: float = LIMIT_S

    def send(self, message: EmailMessage) -> None:
        """Hands `message` over to the server, which then answers for it.

        Raises TransientError when the server cannot be reached or puts us off, TerminalError when it refuses.
        """
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = max(code for code, _ in error.recipients.values())
            raise _refusal(code, str(error)) from error
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, repr(error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise TransientError(f"The mail server does not answer: {error}. It is tried again.") from error

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "localhost", parts.port or _PORTS[parts.scheme]
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=self.limit_s, context=_trusting())
        else:
            server = smtplib.SMTP(host, port, timeout=self.limit_s)
        try:
            self._introduce(server, parts.username, encrypted=parts.scheme == "smtps")
        except BaseException:
            server.close()
            raise
        return server

    def _introduce(self, server: smtplib.SMTP, user: str | None, *, encrypted: bool) -> None:
        server.ehlo()
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=_trusting())
            server.ehlo()
            encrypted = True
        if user is None:
            return
        if not encrypted:
            raise TerminalError("The mail server offers no encryption, so no password is sent. Use smtps://.")
        server.login(unquote(user), self.password() or "")


def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context()


def _refusal(code: int, said: str) -> TransientError | TerminalError:
    """A 4xx puts off, a 5xx refuses (RFC 5321 §4.2.1)."""
    if 400 <= code < 500:
        return TransientError(f"The mail server puts us off ({code}): {said[:200]}. It is tried again.")
    return TerminalError(f"The mail server refuses ({code}): {said[:200]}. Mend the address or the settings.")
