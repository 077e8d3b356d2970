"""Every error Accord raises, in one tree, grouped by who can mend it.

AccordError                     root: `code`, HTTP `status`, a last sentence that says what to do
├── InputError                  422  the caller sent something malformed
│   └── ConfigError             500  the operator's file or environment is wrong
├── NotFound                    404
├── Unauthorised                401  no or unknown key
├── Forbidden                   403  known, but lacks the scope or the role
├── Conflict                    409  somebody else was first, it drifted, or it expired
├── TooOften                    429  called more often than allowed; later it works
├── OverBudget                  429  a hard limit on model spend would be passed
└── ExternalError               502  a vendor, a tool or a model failed; translated once, in its adapter
    ├── TransientError          503  worth another try, perhaps elsewhere
    └── TerminalError           502  the same call will fail again
        └── BadAnswer           502  a model answered, but not what was asked for

Whether a failure is transient or terminal is decided once, in the adapter that saw it.
"""

from __future__ import annotations


class AccordError(Exception):
    """Root of the tree. `detail` is written for the person who has to act on it."""

    code = "internal"
    status = 500

    def __init__(self, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class InputError(AccordError):
    code, status = "invalid_input", 422


class ConfigError(InputError):
    code, status = "invalid_config", 500


class NotFound(AccordError):
    code, status = "not_found", 404


class Unauthorised(AccordError):
    code, status = "unauthorised", 401


class Forbidden(AccordError):
    code, status = "forbidden", 403


class Conflict(AccordError):
    code, status = "conflict", 409


class TooOften(AccordError):
    code, status = "too_often", 429


class OverBudget(AccordError):
    code, status = "over_budget", 429


class ExternalError(AccordError):
    code, status = "external", 502


class TransientError(ExternalError):
    code, status = "external_transient", 503


class TerminalError(ExternalError):
    code, status = "external_terminal", 502


class BadAnswer(TerminalError):
    code, status = "bad_answer", 502
