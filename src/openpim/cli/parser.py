"""The command line's grammar: options of every command, and an argparse that fails as `pim` does."""

from __future__ import annotations

import argparse

from openpim.cli.output import FORMATS
from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from openpim.cli.commands import Command

__all__ = ["Parser", "build"]


class Parser(argparse.ArgumentParser):
    """Errors are values of ours: message and what to type next, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise PimError("usage", message, f"see: {self.prog} --help")


def build(name: str, command: Command) -> Parser:
    """The parser of one command; the others' are never built."""
    parser = Parser(
        prog=f"pim {name}",
        description=command.DESCRIPTION,
        epilog=command.EXAMPLES or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.configure(parser)
    common = parser.add_argument_group("options of every command")
    common.add_argument("-o", "--output", choices=FORMATS, default="table", help="how to print (default: table)")
    common.add_argument("--profile", default="", metavar="NAME", help="which profile (default: PIM_PROFILE, or the current one)")
    common.add_argument("--no-color", action="store_true", help="no colours (also: NO_COLOR)")
    common.add_argument("--debug", action="store_true", help="show where an unexpected error came from")
    return parser
