"""The reference of `pim` in Markdown, made from the commands themselves.

`docs/reference/cli.md` is its output (`python -m tools.docs` writes it); a test compares the two, so that no option stays
undocumented.
"""

from __future__ import annotations

from openpim.cli.commands import COMMANDS, load
from openpim.cli.exits import EXITS
from openpim.cli.parser import build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Action

__all__ = ["ENVIRONMENT", "render"]

_COMMON = {"output", "profile", "no_color", "debug", "help"}
ENVIRONMENT = (
    ("PIM_PROFILE", "The profile to use instead of the current one."),
    (
        "PIM_CONFIG_HOME",
        "The folder of the configuration and the tokens (default: `$XDG_CONFIG_HOME/openpim`, `~/.config/openpim`).",
    ),
    (
        "PIM_CLIENT_ID, PIM_CLIENT_SECRET",
        "An application signs in as itself, for automation; nobody is asked anything.",
    ),
    ("PIM_TENANT", "The tenant that application signs in to, where the profile names none."),
    ("PIM_ACCESS_TOKEN", "Use this access token, and no sign-in at all."),
    ("PIM_ARM_ACCESS_TOKEN", "With PIM_ACCESS_TOKEN: the one for the resource manager (roles on resources)."),
    ("PIM_NO_INPUT", "Never ask, also at a terminal."),
    ("PIM_NO_BROWSER", "Do not open a browser; the address is printed."),
    ("NO_COLOR", "No colours."),
    ("HTTPS_PROXY, NO_PROXY", "A proxy for everything but this machine itself."),
)


def _option(action: Action) -> str:
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.metavar or action.dest}`"
    choices = ", ".join(str(choice) for choice in action.choices or ())
    value = f" `{action.metavar}`" if action.option_strings and action.metavar else ""
    text = (action.help or "").replace("|", "\\|")
    return f"| {names}{value} | {text}{f' ({choices})' if choices and not action.metavar else ''} |"


def _command(name: str) -> list[str]:
    command = load(name)
    parser = build(name, command)
    own = [action for action in parser._actions if action.dest not in _COMMON]  # noqa: SLF001 - no public way
    words = []
    for action in own:
        if not action.option_strings:
            word = str(action.metavar) if action.metavar else "|".join(action.choices or (action.dest,))
            words.append(
                {"?": f"[{word}]", "*": f"[{word} …]", "+": f"{word} …"}.get(str(action.nargs), word)
            )
    lines = [
        f"## pim {name}",
        "",
        " ".join(command.DESCRIPTION.split()),
        "",
        "```text",
        " ".join(["pim", name, *words, "[options]"]),
        "```",
    ]
    if own:
        lines += ["", "| option | meaning |", "|---|---|", *map(_option, own)]
    if command.EXAMPLES:
        examples = [line[2:] for line in command.EXAMPLES.splitlines()[1:] if line.strip()]
        lines += ["", "```text", *examples, "```"]
    return [*lines, ""]


def render() -> str:
    """The whole page."""
    lines = [
        "# Reference: the `pim` command",
        "",
        "Made by `python -m tools.docs`; do not edit. How to work with it: [use `pim`](../how-to/use-pim.md).",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    lines += [f"| [`{name}`](#pim-{name}) | {line} |" for name, (_, line) in COMMANDS.items()]
    common = [action for action in build("token", load("token"))._actions if action.dest in _COMMON]  # noqa: SLF001
    lines += [
        "",
        "## Options of every command",
        "",
        "| option | meaning |",
        "|---|---|",
        *map(_option, common),
        "",
    ]
    for name in COMMANDS:
        lines += _command(name)
    lines += ["## Exit codes", "", "| code | meaning | what to do |", "|---|---|---|"]
    lines += [f"| {code} | {meaning} | {advice} |" for code, _, meaning, advice in EXITS]
    lines += [
        "",
        "Of several names: the code they have in common; 3 where nothing failed but some wait; else 10.",
        "",
        "## Environment",
        "",
        "| variable | meaning |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in ENVIRONMENT),
    ]
    return "\n".join(lines) + "\n"
