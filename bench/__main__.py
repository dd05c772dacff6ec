"""`python -m bench`: measure, print a table, keep the figures as JSON."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, keep, machine, table
from bench.sizes import FULL, QUICK, TINY

NAMES = (
    "activate",
    "listing",
    "tree",
    "portal",
    "audit",
    "streams",
    "signals",
    "decisions",
    "connect_databases",
    "connect_hosts",
    "connect_ldap",
    "start",
    "command",
)
RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 when a goal is missed and --strict is given; else 0."""
    options = _options(arguments)
    sizes = {"full": FULL, "quick": QUICK, "tiny": TINY}[options.size]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="openpim-bench-", dir=options.dir) as folder:
        for name in options.only or NAMES:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            figures += importlib.import_module(f"bench.{name}").measure(sizes, Path(folder))
            keep(figures, options.json)
    print("\n" + ", ".join(f"{name} {value}" for name, value in machine().items()) + "\n")
    print(table(figures))
    return int(options.strict and any(figure.met is False for figure in figures))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure, each figure beside its floor."
    )
    parser.add_argument(
        "--only", action="append", choices=NAMES, metavar="NAME", help=f"one of: {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--quick",
        dest="size",
        action="store_const",
        const="quick",
        default="full",
        help="fewer rounds, no million",
    )
    parser.add_argument(
        "--tiny", dest="size", action="store_const", const="tiny", help="only see that it runs"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a ratio misses its goal")
    parser.add_argument(
        "--json", type=Path, default=RESULTS, metavar="FILE", help="where to keep the figures"
    )
    parser.add_argument("--dir", help="where the databases are made (default: the system's temporary folder)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
