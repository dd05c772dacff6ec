"""Read ordinary command lines without argparse, which costs as much as starting Python again.

A command declares its options once, in `configure(parser)`, in argparse's words.  `Quick` stands in for
the parser, writes the declarations down and reads the plain cases: exact option names, values in words
of their own, positional words.  For anything else (`--help`, `--name=value`, joined short options, a
mistake) `parse` gives None, and the caller lets argparse do the whole of it, messages included.  The
tests hold both to the same answers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Self

__all__ = ["Arguments", "Quick"]


class Arguments:
    """What was given, by name, as argparse's Namespace has it."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


class _Option:
    __slots__ = ("choices", "convert", "default", "group", "kind", "name")

    def __init__(self, name: str, kind: str, group: int, given: dict[str, Any]) -> None:
        self.name = name
        self.kind = kind  # value, flag, append, yes, no
        self.group = group
        self.default = given.get("default", False if kind == "flag" else None)
        self.choices = given.get("choices")
        self.convert = given.get("type")


class Quick:
    """Takes the calls that `configure` makes on a parser."""

    def __init__(self) -> None:
        self._options: dict[str, _Option] = {}
        self._places: list[tuple[str, str, _Option]] = []
        self._groups = 0

    def add_argument_group(self, *_: object) -> Self:
        """A heading in the help; nothing here."""
        return self

    def add_mutually_exclusive_group(self) -> _Exclusive:
        """Of the options added to what is returned only one may be given."""
        self._groups += 1
        return _Exclusive(self, self._groups)

    def add_argument(self, *names: str, group: int = 0, **given: Any) -> None:
        """One option or positional word."""
        if not names[0].startswith("-"):
            option = _Option(names[0], "value", 0, given)
            self._places.append((names[0], given.get("nargs") or "1", option))
            return
        long = next((name for name in names if name.startswith("--")), names[0])
        target = given.get("dest") or long.lstrip("-").replace("-", "_")
        action = given.get("action", "store")
        if action in {"store", "store_true", "append"}:
            kind = {"store": "value", "store_true": "flag", "append": "append"}[action]
            option = _Option(target, kind, group, given)
            self._options.update(dict.fromkeys(names, option))
        else:  # BooleanOptionalAction
            for name in names:
                self._options[name] = _Option(target, "yes", group, given)
                self._options["--no-" + name[2:]] = _Option(target, "no", group, given)

    def parse(self, argv: Sequence[str]) -> Arguments | None:
        """The arguments, or None where argparse has to look."""
        values = {option.name: option.default for option in self._options.values()}
        words: list[str] = []
        seen: dict[int, str] = {}
        index = 0
        while index < len(argv):
            word = argv[index]
            index += 1
            if not word.startswith("-"):
                words.append(word)
                continue
            option = self._options.get(word)
            if option is None or (option.group and seen.setdefault(option.group, option.name) != option.name):
                return None
            if option.kind in {"flag", "yes", "no"}:
                values[option.name] = option.kind != "no"
                continue
            if index >= len(argv) or argv[index].startswith("-"):
                return None
            value = _converted(option, argv[index])
            index += 1
            if value is None:
                return None
            values[option.name] = [*(values[option.name] or []), value] if option.kind == "append" else value
        return Arguments(values) if self._place(words, values) else None

    def _place(self, words: list[str], values: dict[str, Any]) -> bool:
        """Give the words to the positional arguments; whether they fit."""
        for name, count, option in self._places:
            if count in {"*", "+"}:
                if count == "+" and not words:
                    return False
                values[name], words = words, []
                continue
            if not words:
                if count != "?":
                    return False
                values[name] = option.default
                continue
            values[name] = _converted(option, words[0])
            words = words[1:]
            if values[name] is None:
                return False
        return not words


def _converted(option: _Option, text: str) -> Any:
    """The value, None if it is not one."""
    value: Any = text
    if option.convert is not None:
        try:
            value = option.convert(text)
        except ValueError:
            return None
    return None if option.choices is not None and value not in option.choices else value


class _Exclusive:
    """Passes on to `Quick`, marking what belongs together."""

    def __init__(self, quick: Quick, group: int) -> None:
        self._quick = quick
        self._number = group

    def add_argument(self, *names: str, **given: Any) -> None:
        """One option of the group."""
        self._quick.add_argument(*names, group=self._number, **given)
