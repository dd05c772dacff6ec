"""`pim`: find the command, import its file alone, run it, turn errors into exit codes.

This is the hot path: people wait for it many times a day.  Nothing is imported here that the one
command does not need (see tests/cli/test_startup.py).
"""

from __future__ import annotations

import sys

from openpim.cli.commands import COMMANDS, common, load
from openpim.cli.exits import exit_code
from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import Any

    from openpim.cli.commands import Command

__all__ = ["main", "overview"]

_TAKES_VALUE = {"-o", "--output", "--profile"}


def overview() -> str:
    """What `pim` alone prints."""
    lines = ["usage: pim COMMAND [options]", "", "Hold privileged roles only while you need them."]
    width = max(len(name) for name in COMMANDS)
    group = ""
    for name, (where, line) in COMMANDS.items():
        if where != group:
            group = where
            lines += ["", f"{group}:"]
        lines.append(f"  {name.ljust(width)}  {line}")
    lines += [
        "",
        "Options of every command: -o table|json|jsonl|tsv, --profile NAME, --no-color, --debug, --help",
        "Exit codes: pim --exit-codes     Version: pim --version",
        "",
        'First steps:  pim login     pim list     pim activate "Teams Administrator"',
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _split(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The command's name and everything else; options of every command may stand before it."""
    index = 0
    while index < len(argv):
        word = argv[index]
        if not word.startswith("-") or word == "-":
            return word, [*argv[:index], *argv[index + 1 :]]
        index += 2 if word in _TAKES_VALUE else 1
    return "", list(argv)


def _unknown(name: str) -> PimError:
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, 1)
    hint = f"did you mean: pim {close[0]}" if close else "see the commands: pim --help"
    return PimError("usage", f"there is no command {name[:80]!r}", hint)


def _without_command(rest: list[str]) -> int:
    if "--version" in rest:
        from importlib.metadata import version

        sys.stdout.write(f"pim {version('openpim')}\n")
    elif "--exit-codes" in rest:
        from openpim.cli.exits import EXITS

        for code, _, meaning, advice in EXITS:
            sys.stdout.write(f"{code:>4}  {meaning}{' ' + advice if advice else ''}\n")
    else:
        sys.stdout.write(overview())
        return 0 if not rest or "--help" in rest or "-h" in rest else 2
    return 0


def _arguments(name: str, command: Command, rest: list[str]) -> Namespace:
    from openpim.cli.quickargs import Quick

    after: list[str] | None = None
    taken = getattr(command, "TAKES_VALUE", None)
    if taken is not None:  # what stands after its first plain word is another program's
        rest, after = _cut(rest, taken, command.OWN_WORDS)  # type: ignore[attr-defined]
    found = _parsed(name, command, rest, Quick())
    if after is not None:
        found.rest = after
    return found


def _cut(words: list[str], taken: frozenset[str], own: Sequence[str]) -> tuple[list[str], list[str]]:
    index = 0
    while index < len(words) and (words[index].startswith("-") or words[index] in own):
        index += 2 if words[index] in taken else 1
    return words[: index + 1], words[index + 1 :]


def _parsed(name: str, command: Command, rest: list[str], quick: Any) -> Namespace:
    command.configure(quick)
    common(quick)
    found = quick.parse(rest)
    if found is None:
        from openpim.cli.parser import build

        found = build(name, command).parse_intermixed_args(rest)
    return found  # type: ignore[no-any-return]


def _run(argv: Sequence[str]) -> int:
    name, rest = _split(argv)
    if not name or name == "help":
        if name and rest and rest[0] in COMMANDS:
            name, rest = rest[0], ["--help"]
        else:
            return _without_command(rest)
    if name not in COMMANDS:
        raise _unknown(name)
    command = load(name)
    if name == "serve":  # its options are the server's own
        return command.run(rest, None)  # type: ignore[arg-type]
    args = _arguments(name, command, rest)
    from openpim.cli.context import Context

    context = Context(args)
    try:
        return command.run(args, context)
    finally:
        context.close()


def _report(error: PimError) -> int:
    from openpim.cli.output import clean

    sys.stdout.flush()
    text = clean(f"pim: {error.message}")
    if error.hint:
        text += "\n     " + clean(error.hint)
    sys.stderr.write(text + "\n")
    return exit_code(error.kind)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `pim` with the arguments (default: of the process); returns the exit code."""
    if argv is None:
        import gc

        gc.disable()  # a process this short never needs it, and imports are its costliest time
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(given)
        sys.stdout.flush()
        return code
    except PimError as error:
        return _report(error)
    except KeyboardInterrupt:
        sys.stderr.write("\npim: interrupted\n")
        return exit_code("interrupted")
    except BrokenPipeError:  # the reader of our output has gone; that is its business
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as stop:  # argparse after --help
        return stop.code if isinstance(stop.code, int) else 0
    except Exception as error:
        if "--debug" in given:
            raise
        what = f"unexpected: {type(error).__name__}: {error}"
        return _report(PimError("unexpected", what[:500], "run again with --debug and report what it prints"))


if __name__ == "__main__":
    sys.exit(main())
