"""`pim completion`: scripts for bash, zsh and fish, made from the commands' own parsers."""

from __future__ import annotations

from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = (
    "Print the completion script of a shell. Role names are completed from what you may activate, and hold."
)
EXAMPLES = """examples:
  source <(pim completion bash)                                   in ~/.bashrc
  source <(pim completion zsh)                                    in ~/.zshrc
  pim completion fish > ~/.config/fish/completions/pim.fish
"""
_NAMED: dict[str, tuple[str, ...]] = {
    "activate": ("eligible",),
    "deactivate": ("active",),
    "extend": ("active", "eligible"),
}

_BASH = """# bash completion of pim; made by: pim completion bash
_pim() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} cmd=${{COMP_WORDS[1]}} IFS=$'\\n'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W $'{commands}' -- "$cur"))
        return
    fi
    case "$cmd" in
{options}
    esac
    case "$cmd:$cur" in
        activate:-*|deactivate:-*|extend:-*) ;;
        activate:*|deactivate:*|extend:*)
            # bash ends a word at @ and :, so Owner@pr comes in parts: take the whole of it, answer the last part.
            local name typed=${{COMP_LINE:0:COMP_POINT}}
            typed=${{typed##*[!\\\\] }}; typed=${{typed//\\\\/}}
            local kept=${{typed%"${{cur//\\\\/}}"}} low=${{typed,,}}
            while read -r name; do
                case "${{name,,}}" in "$low"*) COMPREPLY+=("$(printf '%q' "${{name:${{#kept}}}}")");; esac
            done < <(pim completion names "$cmd" 2>/dev/null)
            return ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -F _pim pim
"""
_ZSH = """#compdef pim
# zsh completion of pim; made by: pim completion zsh
_pim() {{
    local -a found
    if (( CURRENT == 2 )); then
        found=({commands})
        _describe command found
        return
    fi
    case "$words[2]" in
        activate|deactivate|extend)
            if [[ "$PREFIX" != -* ]]; then
                found=(${{(f)"$(pim completion names $words[2] 2>/dev/null)"}})
                compadd -M 'm:{{a-z}}={{A-Z}}' -a found
                return
            fi ;;
    esac
    case "$words[2]" in
{options}
    esac
    compadd -a found
}}
compdef _pim pim
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "shell", choices=("bash", "zsh", "fish", "names"), help="the shell (names: what the scripts call)"
    )
    parser.add_argument("command", nargs="?", default="activate", help="with names: for which command")


def _options() -> dict[str, list[str]]:
    """The long and short options and the choices of every command."""
    from openpim.cli.commands import COMMANDS, load
    from openpim.cli.parser import build

    found = {}
    for name in COMMANDS:
        words: list[str] = []
        for action in build(name, load(name))._actions:  # noqa: SLF001 - argparse has no public way to list them
            words += [option for option in action.option_strings if option.startswith("--")]
            if action.choices and not action.option_strings:
                words += [str(choice) for choice in action.choices]
        found[name] = words
    return found


def _bash() -> str:
    from openpim.cli.commands import COMMANDS

    newline = "\\n"
    lines = [f"        {name}) local words=$'{newline.join(words)}' ;;" for name, words in _options().items()]
    return _BASH.format(commands=newline.join(COMMANDS), options="\n".join(lines))


def _zsh() -> str:
    from openpim.cli.commands import COMMANDS

    commands = " ".join(f"'{name}:{line.replace(chr(39), '')}'" for name, (_, line) in COMMANDS.items())
    lines = [f"        {name}) found=({' '.join(words)}) ;;" for name, words in _options().items()]
    return _ZSH.format(commands=commands, options="\n".join(lines))


def _fish_word(word: str) -> str:
    return f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"


def _fish() -> str:
    from openpim.cli.commands import COMMANDS

    lines = ["# fish completion of pim; made by: pim completion fish", "complete -c pim -f"]
    lines += [
        f"complete -c pim -n __fish_use_subcommand -a {name} -d '{line.replace(chr(39), '')}'"
        for name, (_, line) in COMMANDS.items()
    ]
    lines += [
        f"complete -c pim -n '__fish_seen_subcommand_from {name}' {_fish_word(word)}"
        for name, words in _options().items()
        for word in words
    ]
    lines += [
        f"complete -c pim -n '__fish_seen_subcommand_from {name}' -a '(pim completion names {name} 2>/dev/null)'"
        for name in _NAMED
    ]
    return "\n".join(lines) + "\n"


def _names(command: str, context: Context) -> str:
    """Role names for a shell: quick, never asking anybody anything; nothing where that is not possible."""
    from openpim.cli.choosing import label

    context.interactive = False
    context.timeout = 3.0
    try:
        mine = context.pim.mine(*_NAMED.get(command, ("eligible",)))
    except PimError:
        return ""
    held = [*mine.eligible, *mine.active]
    names = {label(one) if one.provider == "resource" else one.role for one in held}
    return "".join(f"{name}\n" for name in sorted(names) if name.isprintable())


def run(args: Namespace, context: Context) -> int:
    """Print the script."""
    import sys

    if args.shell == "names":
        sys.stdout.write(_names(args.command, context))
    else:
        sys.stdout.write({"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell]())
    return 0
