"""`$search` as Graph's directory collections read it: `"displayName:foo" AND ("mail:x" OR "mail:y")`.

Terms are quoted, though bare words are read too; each may begin with the property it is about.  Two
terms side by side must both hold.  `search_matches` looks for words that begin with the term, without
regard to case.  Errors: `ODataError`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from openpim.wire.errors import shown
from openpim.wire.odata.error import ODataError
from openpim.wire.odata.evaluate import Lookup

__all__ = ["Search", "SearchAll", "SearchAny", "SearchNot", "SearchTerm", "parse_search", "search_matches"]

OPTION = "$search"
MAX_LENGTH = 4_096
MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """A text to look for; `field` is the property it is about, None for the collection's own choice."""

    field: str | None
    text: str


@dataclass(frozen=True, slots=True)
class SearchAll:
    """All terms hold."""

    terms: tuple[Search, ...]


@dataclass(frozen=True, slots=True)
class SearchAny:
    """At least one term holds."""

    terms: tuple[Search, ...]


@dataclass(frozen=True, slots=True)
class SearchNot:
    """The term does not hold."""

    term: Search


Search = SearchTerm | SearchAll | SearchAny | SearchNot

_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_TOKEN = re.compile(rf'\s*+(?:(?P<mark>[()])|(?P<term>(?:[A-Za-z]\w*+:)?{_QUOTED}|[^\s()"]++))', re.DOTALL)
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_]*):(.*)", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")


def parse_search(text: str) -> Search:
    """The condition that `text` states."""
    if len(text) > MAX_LENGTH:
        raise ODataError(OPTION, f"is longer than {MAX_LENGTH} characters")
    parser = _Parser(text)
    found = parser.any_of(0)
    if parser.index < len(parser.tokens):
        raise parser.fail("was not expected")
    return found


class _Parser:
    __slots__ = ("index", "text", "tokens")

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, int]] = []
        self.index = end = 0
        length = len(text.rstrip())
        while end < length:
            match = _TOKEN.match(text, end, length)
            if match is None:
                raise ODataError(OPTION, "a quoted string does not end", text=text, position=end)
            kind = "mark" if match["mark"] else "term"
            self.tokens.append((match[kind], match.start(kind)))
            end = match.end()

    def fail(self, problem: str) -> ODataError:
        if self.index >= len(self.tokens):
            return ODataError(OPTION, f"the end {problem}", text=self.text, position=len(self.text))
        token, position = self.tokens[self.index]
        return ODataError(OPTION, f"{shown(token)} {problem}", text=self.text, position=position)

    def peek(self) -> str:
        return self.tokens[self.index][0] if self.index < len(self.tokens) else ""

    def any_of(self, depth: int) -> Search:
        terms = [self.all_of(depth)]
        while self.peek() == "OR":
            self.index += 1
            terms.append(self.all_of(depth))
        return terms[0] if len(terms) == 1 else SearchAny(tuple(terms))

    def all_of(self, depth: int) -> Search:
        terms = [self.one(depth)]
        while self.peek() not in {"", "OR", ")"}:
            if self.peek() == "AND":
                self.index += 1
            terms.append(self.one(depth))
        return terms[0] if len(terms) == 1 else SearchAll(tuple(terms))

    def one(self, depth: int) -> Search:
        token = self.peek()
        if depth > MAX_DEPTH:
            raise self.fail("is nested too deep")
        if token in {"", "AND", "OR", ")"}:
            raise self.fail("came where a term was expected")
        self.index += 1
        if token == "NOT":
            return SearchNot(self.one(depth + 1))
        if token == "(":
            inner = self.any_of(depth + 1)
            if self.peek() != ")":
                raise self.fail("came where ')' was expected")
            self.index += 1
            return inner
        return _term(token)


def _term(token: str) -> SearchTerm:
    prefix, quote, quoted = token.partition('"')
    text = prefix + re.sub(r"\\(.)", r"\1", quoted[:-1], flags=re.DOTALL) if quote else prefix
    match = _FIELD.fullmatch(text)
    field, wanted = (match[1], match[2]) if match else (None, text)
    if not wanted.strip():
        raise ODataError(OPTION, f"{shown(token)} names nothing to look for")
    return SearchTerm(field, wanted.strip())


def search_matches(search: Search, lookup: Lookup, fields: Sequence[str]) -> bool:
    """Whether the row behind `lookup` satisfies `search`; `fields` are searched for terms without one."""
    match search:
        case SearchTerm(field=field, text=text):
            names = fields if field is None else (field,)
            return any(_found(text, lookup((name,))) for name in names)
        case SearchAll(terms=terms):
            return all(search_matches(term, lookup, fields) for term in terms)
        case SearchAny(terms=terms):
            return any(search_matches(term, lookup, fields) for term in terms)
        case SearchNot(term=term):
            return not search_matches(term, lookup, fields)


def _found(wanted: str, value: object) -> bool:
    """Whether `value` begins with `wanted`, or each word of `wanted` begins a word of it."""
    if not isinstance(value, str):
        return False
    text, term = value.casefold(), wanted.casefold()
    if text.startswith(term):
        return True
    words = _WORD.findall(text)
    parts = _WORD.findall(term)
    return bool(parts) and all(any(word.startswith(part) for word in words) for part in parts)
