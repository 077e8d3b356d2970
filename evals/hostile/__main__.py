"""`python -m evals.hostile --attacks 10000 --seed 1 --json`: 0 breaches with the gate, many without it, or exit 1."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from evals.hostile.corpus import RECORDED, vectors
from evals.hostile.gate import gate_off
from evals.hostile.run import besiege


def main() -> int:
    """Both runs; the one without a gate over a tenth of the attacks."""
    options = _options()
    texts = vectors(options.recorded)
    with tempfile.TemporaryDirectory() as home:
        held = besiege(options.attacks, options.seed, texts, Path(home) / "on")
        with gate_off():
            opened = besiege(max(200, options.attacks // 10), options.seed, texts, Path(home) / "off")
    told = {
        "seed": options.seed,
        "texts": len(texts),
        "recorded": any(text.source != "own" for text in texts),
        "gate_on": held.as_json(),
        "gate_off": opened.as_json(),
        "proves": bool(opened.breaches) and not held.breaches and not held.unnamed_refusals,
    }
    print(json.dumps(told, indent=None if options.json else 2, ensure_ascii=False))  # noqa: T201 — a command answers
    return 0 if told["proves"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evals.hostile", description=__doc__)
    parser.add_argument("--attacks", type=int, default=10_000, help="how many distinct attacks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recorded", type=Path, default=RECORDED, help="folder of the public sets")
    parser.add_argument("--json", action="store_true", help="one line")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
