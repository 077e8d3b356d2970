"""The command line `accord`: what each command does stands in its module, imported when it is called.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 checks failed, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from api.cli.command import LazyGroup, Sections
from api.cli.console import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_USAGE, Console
from domain.errors import AccordError

_SECTIONS: Sections = {
    "Start": (
        ("demo", "api.cli.demo:demo", "Play the demo company and show what Accord did."),
        ("serve", "api.cli.serve:serve", "Serve the API, the pages and the worker."),
        ("worker", "api.cli.serve:worker", "Carry out due work beside a server (Postgres only)."),
        ("init", "api.cli.init:init", "Write accord.yaml, policy.yaml and .env.example."),
        ("doctor", "api.cli.doctor:doctor", "Check the installation; each fault with its fix."),
    ),
    "Bring in and look": (
        ("import", "api.cli.bring:import_", "Turn CSV or Parquet files into signals."),
        ("replay", "api.cli.bring:replay", "What would Accord have done? No outside effect."),
        ("detect", "api.cli.look:detect", "Find anomalies in one series."),
        ("lift", "api.cli.look:lift", "Measure an effect against a counterfactual."),
    ),
    "Decide": (
        ("proposals", "api.cli.decide:proposals", "List and show proposals."),
        ("approve", "api.cli.answer:approve", "Approve proposals."),
        ("reject", "api.cli.answer:reject", "Reject proposals."),
        ("modify", "api.cli.answer:modify", "Approve a proposal with other values."),
        ("ask", "api.cli.answer:ask", "Ask about a proposal, or answer."),
        ("escalate", "api.cli.answer:escalate", "Hand a proposal on."),
        ("delegate", "api.cli.answer:delegate", "Let somebody answer while you are away."),
        ("actions", "api.cli.actions:actions", "List actions, undo one, settle what is unknown."),
        ("mode", "api.cli.decide:mode", "Switch read-only mode, or stop everything."),
        ("policy", "api.cli.policy:policy", "Check, explain and simulate the policy."),
    ),
    "Keep": (
        ("keys", "api.cli.keys:keys", "Create, list and revoke API keys."),
        ("models", "api.cli.models:models", "Fetch and list models."),
        ("providers", "api.cli.providers:providers", "See how model providers stand; try one."),
        ("costs", "api.cli.costs:costs", "Sum what model calls cost."),
        ("audit", "api.cli.audit:audit", "Verify, export and prune the chain of recorded facts."),
        ("redact", "api.cli.audit:redact", "Erase a person; the audit still verifies."),
        ("backup", "api.cli.keep:backup", "Copy the whole store to a file."),
        ("restore", "api.cli.keep:restore", "Start from a backup, read-only at first."),
        ("migrate", "api.cli.keep:migrate", "Bring the store's tables up to date."),
        ("export", "api.cli.keep:export", "Write all records as JSON lines."),
        ("schema", "api.cli.bring:schema", "Print the JSON Schema of mapping files."),
    ),
}


class _Root(LazyGroup):
    sections = _SECTIONS


@click.command(
    cls=_Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Settings: accord.yaml (ACCORD_CONFIG), overridden by ACCORD_… variables. Every command takes --json.",
)
@click.version_option(package_name="accord", message="%(version)s")
def accord() -> None:
    """Accord makes marketing, sales, content and finance tools act as one, and only with consent.

    \b
    First steps:
      accord demo               see it work on a simulated company
      accord init               write the configuration of your own
      accord serve              start it
    """  # noqa: D301 — \b is click's mark for text it must not wrap


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and leaves the process with its exit code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; every failure becomes one clear line on stderr."""
    console = Console(as_json="--json" in arguments, debug="--debug" in arguments)
    try:
        return accord.main(arguments, prog_name="accord", standalone_mode=False, obj=console) or 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _report_usage(console, error)
    except (click.Abort, KeyboardInterrupt):
        console.note("Interrupted.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except AccordError as error:
        if console.debug:
            raise
        console.fault(error.code, error.detail, **error.facts)
        return EXIT_FAILURE
    except Exception as error:  # edge: the last line before the person
        if console.debug:
            raise
        console.fault(
            "internal", f"{type(error).__name__}: {error}. Run it again with --debug and report what it prints."
        )
        return EXIT_FAILURE


def _report_usage(console: Console, error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return EXIT_USAGE
    usage = isinstance(error, click.UsageError)
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f" See `{context.command_path} --help`." if context else ""
    console.fault("usage" if usage else "invalid_input", f"{error.format_message()}{hint}")
    return error.exit_code
