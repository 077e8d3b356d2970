"""What a driver drives, bound to a runtime: listening, rounds, actions, words."""

from __future__ import annotations

from agents.drivers.port import Work
from agents.parts import Runtime


def work_of(runtime: Runtime) -> Work:
    """The work of `runtime`. What does it is imported when work begins, not when a command starts."""
    from agents.act import advance
    from agents.drift import CanaryWatch
    from agents.enrich import Enricher
    from agents.feedback import Feedback
    from agents.intake import pull
    from agents.reason import run_round

    def listen() -> None:
        pull(runtime)

    def reason() -> None:
        run_round(runtime)

    feedback, canaries = Feedback(runtime), CanaryWatch(runtime, runtime.router.observe)

    def watch() -> None:
        feedback()
        canaries()

    return Work(
        listen=listen,
        reason=reason,
        act=lambda action: advance(runtime, action),
        enrich=Enricher(runtime),
        watch=watch,
    )
