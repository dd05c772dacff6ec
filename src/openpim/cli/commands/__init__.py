"""The commands of `pim`, one file each; a file is imported only when its command is given.

A command file has DESCRIPTION, EXAMPLES, `configure(parser)` and `run(args, context) -> exit code`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Protocol

    from openpim.cli.context import Context

    class Command(Protocol):
        """What a command file offers."""

        DESCRIPTION: str
        EXAMPLES: str

        @staticmethod
        def configure(parser: ArgumentParser) -> None: ...
        @staticmethod
        def run(args: Namespace, context: Context, /) -> int: ...


__all__ = ["COMMANDS", "FORMATS", "common", "load"]

FORMATS = ("table", "json", "jsonl", "tsv")

# name -> (group in the help, one line)
COMMANDS = {
    "login": ("sign in", "Sign in, in the browser or with a code"),
    "logout": ("sign in", "End the sign-in and forget its tokens"),
    "whoami": ("sign in", "Show who is signed in, and where"),
    "token": ("sign in", "Print an access token"),
    "list": ("your roles", "List roles you may activate, that are active, or that wait"),
    "activate": ("your roles", "Activate one or several roles"),
    "deactivate": ("your roles", "End an activation before its time"),
    "extend": ("your roles", "Let what ends soon last longer"),
    "renew": ("your roles", "Ask for what has ended to be given again"),
    "status": ("your roles", "What is active, what waits, what waits for you"),
    "requests": ("your roles", "List your requests and what became of them"),
    "cancel": ("your roles", "Take back a request that is not decided"),
    "history": ("your roles", "Show the audit history"),
    "ssh": ("your roles", "Log in to a host with what you have activated"),
    "connect": ("your roles", "Get a credential for a system that a role opens"),
    "inbox": ("approvals", "List requests that wait for your decision"),
    "approve": ("approvals", "Approve a request"),
    "deny": ("approvals", "Deny a request"),
    "delegate": ("approvals", "Let somebody else decide in your place for a time"),
    "assign": ("administration", "Make somebody eligible for a role, or assign it"),
    "unassign": ("administration", "Take an eligibility or an assignment away"),
    "policy": ("administration", "Show or change what a role demands"),
    "audit": ("administration", "Prove that the audit history is what it was"),
    "channels": ("administration", "Webhooks, chats, and systems that are asked"),
    "connector": ("administration", "The real systems that privileges take effect in"),
    "provisioning": ("administration", "Who writes people and groups here by SCIM"),
    "signals": ("administration", "The event streams of an application"),
    "notifications": ("administration", "How you are told, and what could not be delivered"),
    "profile": ("this command", "List, choose, add and remove servers"),
    "doctor": ("this command", "Check that everything works, and say what to do"),
    "completion": ("this command", "Print the completion script of a shell"),
    "agent": ("server", "On a Linux host: make what was granted real, and end it"),
    "serve": ("server", "Start an OpenPIM server"),
}


def load(name: str) -> Command:
    """The file of the command."""
    from importlib import import_module

    return import_module(f"openpim.cli.commands.{name}")  # type: ignore[return-value]


def common(parser: ArgumentParser) -> None:
    """Add the options of every command."""
    group = parser.add_argument_group("options of every command")
    group.add_argument(
        "-o", "--output", choices=FORMATS, default="table", help="how to print (default: table)"
    )
    group.add_argument(
        "--profile",
        default="",
        metavar="NAME",
        help="which profile (default: PIM_PROFILE, or the current one)",
    )
    group.add_argument("--no-color", action="store_true", help="no colours (also: NO_COLOR)")
    group.add_argument("--debug", action="store_true", help="show where an unexpected error came from")
