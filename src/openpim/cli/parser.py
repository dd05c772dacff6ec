"""The command line's grammar in full: an argparse that fails as `pim` does.  Ordinary lines never come here."""

from __future__ import annotations

import argparse
import os

from openpim.cli.commands import common
from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from openpim.cli.commands import Command

__all__ = ["Parser", "build"]


class _Help(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal; asked for without `shutil`, which argparse would import at every start."""

    def __init__(self, prog: str) -> None:
        try:
            width = os.get_terminal_size().columns - 2
        except OSError:
            width = 100
        super().__init__(prog, max_help_position=32, width=max(40, min(width, 120)))


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
        formatter_class=_Help,
        allow_abbrev=False,
    )
    command.configure(parser)
    common(parser)
    return parser
