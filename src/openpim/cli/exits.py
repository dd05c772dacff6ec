"""The exit codes of `pim`: scripts branch on them, so a number never changes its meaning."""

from __future__ import annotations

__all__ = ["EXITS", "combined", "exit_code"]

# number, kind (of PimError), meaning, what to do next
EXITS = (
    (0, "done", "Done, or already so.", ""),
    (1, "unexpected", "Something unexpected.", "Run again with --debug and report it."),
    (2, "usage", "The command line is wrong, or the server cannot make sense of what it asks for.", "See pim COMMAND --help."),
    (3, "waiting", "The request waits for an approval.", "Wait, or see pim requests."),
    (4, "denied", "Denied or cancelled, or this account may not do that.", "See pim requests; ask the approver."),
    (5, "signin", "Sign-in needed.", "pim login"),
    (6, "missing", "Not eligible, or not found.", "See pim list."),
    (7, "ambiguous", "The name fits several; nothing was done.", "Type more of the name, or add --scope."),
    (8, "policy", "The role's policy is not met; what is missing is named.", "Add what is named."),
    (9, "timeout", "Not effective within the time.", "See pim requests; the request goes on."),
    (10, "partial", "Some of several failed.", "Read the lines above; run the command again."),
    (11, "server", "The server or the network failed.", "pim doctor"),
    (12, "tampered", "The audit history is not what was signed.", "Read what is named; keep the database as evidence."),
    (130, "interrupted", "Interrupted at the keyboard.", "Run the command again: it is safe to repeat."),
)  # fmt: skip

_CODES = {kind: code for code, kind, _, _ in EXITS}


def exit_code(kind: str) -> int:
    """The exit code of an error's kind."""
    return _CODES.get(kind, 1)


def combined(codes: list[int]) -> int:
    """The exit code of several acts: their common one, 3 where nothing failed but some wait, else 10."""
    kinds = set(codes)
    if len(kinds) <= 1:
        return codes[0] if codes else 0
    return 3 if kinds == {0, 3} else 10
