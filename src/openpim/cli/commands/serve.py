"""`pim serve`: start the server.  Its options are the server's own; this file only finds it."""

from __future__ import annotations

from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from openpim.cli.context import Context

DESCRIPTION = """Start an OpenPIM server (needs: pip install 'openpim[server]').
For a real organization give --config FILE; --demo starts with an invented one.
`pim serve import-resources FILE` makes or updates the tree of resources from a file, and `pim serve verify-audit` checks the audit
histories, both beside a running server. Ctrl-C stops the server."""
EXAMPLES = """examples:
  pim serve --demo
  pim serve --config openpim.toml
  pim serve import-resources tree.jsonl --config openpim.toml --dry-run
  pim serve verify-audit --config openpim.toml
"""


def configure(parser: ArgumentParser) -> None:
    """The options the server takes, for the documentation; the server itself reads them."""
    parser.add_argument("--config", metavar="FILE", help="the settings, in TOML")
    parser.add_argument("--demo", action="store_true", help="with the demo organization")
    parser.add_argument("--data-dir", metavar="DIR", help="where the data lives (default: ./openpim-data)")
    parser.add_argument("--host", metavar="HOST", help="the address to listen on")
    parser.add_argument("--port", metavar="PORT", help="the port to listen on (default: 8443)")


def run(argv: list[str], _context: Context | None) -> int:
    """Hand over to the server."""
    import gc
    from importlib import import_module

    gc.enable()
    try:
        serve = import_module("openpim.app").serve
    except ModuleNotFoundError as error:
        text = f"the server is not installed ({error.name} is missing)"
        raise PimError("usage", text, "install it: pip install 'openpim[server]'") from None
    return int(serve(argv) or 0)
