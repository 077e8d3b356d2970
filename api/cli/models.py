"""`accord models`: the local model's weights, and which providers can answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from api.cli.command import Command, DefaultGroup
from api.cli.console import Console, columns
from api.cli.settings import config_option, load


@click.group(cls=DefaultGroup)
def models() -> None:
    """Fetch and list models."""


@models.command("pull", cls=Command)
@click.argument("name", required=False)
@click.option(
    "--if-wanted",
    is_flag=True,
    help="Do nothing where a provider key is set or ACCORD_LOCAL_MODEL says off or names a file.",
)
@click.pass_obj
def pull(console: Console, name: str | None, if_wanted: bool) -> None:  # noqa: FBT001 — click's
    """Fetch the weights of a local model and check their SHA-256. About 1 GB, once for all checkouts.

    \b
    Example:
      accord models pull qwen2.5-coder-1.5b
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from providers.registry import local_unwanted
    from providers.weights import ProgressBar, chosen_name, models_dir
    from providers.weights import pull as fetch

    reason = local_unwanted(os.environ) if if_wanted else None
    if reason is not None:
        console.answer({"pulled": False, "reason": reason}, [f"No local model is fetched: {reason}."])
        return
    chosen = name or chosen_name(os.environ)
    path = fetch(chosen, models_dir(os.environ), progress=ProgressBar(chosen), warn=console.warn)
    console.answer({"pulled": True, "name": chosen, "path": str(path)}, [f"{chosen} is at {path}"])


@models.command("list", cls=Command)
@config_option
@click.pass_obj
def list_(console: Console, config: Path | None) -> None:
    """List the configured providers, which can answer and what the others lack, then the local models to be had."""
    from functools import partial

    from providers.local_model import local_missing
    from providers.registry import build_registry, default_specs

    specs = load(config).providers or default_specs(os.environ)
    registry = build_registry(specs, os.environ, local_missing=partial(local_missing, environ=os.environ))
    items = [
        {"name": one.name, "model": one.spec.model, "usable": one.missing is None, "missing": one.missing}
        for one in registry.providers
    ]
    local = _local()
    rows = [(item["name"], item["model"], item["missing"] or "ready") for item in items]
    sizes = [
        (
            f"{one['name']}:",
            f"{one['size'] / 1e6:,.0f} MB",
            "does not fit into memory" if one["short"] else "pulled" if one["pulled"] else "can be pulled",
        )
        for one in local
    ]
    none = ["No provider is configured: everything runs without a model."]
    console.answer({"items": items, "local": local}, [*(columns(rows) or none), "", "Local models:", *columns(sizes)])


def _local() -> list[dict[str, Any]]:
    """The local models that are known: `size` in bytes, whether they are here, why they would not fit (`short`)."""
    from providers.capacity import shortage
    from providers.facts import known
    from providers.weights import is_pulled, models_dir

    folder = models_dir(os.environ)
    return [
        {
            "name": name,
            "size": facts.size,
            "licence": facts.licence,
            "pulled": is_pulled(name, folder),
            "short": shortage(facts.size, os.environ),
        }
        for name, facts in known().weights.items()
    ]
