"""`pim audit`: prove that the audit history is what it was."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = """Prove that nothing in the audit history was changed, removed, put in between or set back.

Without FILE the history is read from the server; with FILE from what --save wrote, on any machine, without a server.
What was seen is remembered, and the next check must find a history that begins with it."""
EXAMPLES = """examples:
  pim audit verify
  pim audit verify --save history.jsonl.gz
  pim audit verify history.jsonl.gz --key 'openpim.audit/5d0c…+3f2a1b9c+AW0v…'
  pim audit key
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("act", choices=("verify", "key"), help="verify, or show the public keys of the log")
    parser.add_argument(
        "file", nargs="?", default="", metavar="FILE", help="what --save wrote (.gz is read too)"
    )
    parser.add_argument(
        "--key",
        default="",
        metavar="KEY",
        help="the log's verifier key, from somebody you trust; it is remembered",
    )
    parser.add_argument(
        "--save", default="", metavar="FILE", help="write down what the server gives, for later or elsewhere"
    )
    parser.add_argument(
        "--slack",
        default="5m",
        metavar="DURATION",
        help="how much older than the checkpoint before it an event may be (default: 5m)",
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="POSITION",
        help="an alarm in the log that is known; may be repeated",
    )
    parser.add_argument(
        "--forget",
        action="store_true",
        help="forget what was seen before: after the database was restored on purpose",
    )


def run(args: Namespace, context: Context) -> int:
    """Verify, or show the keys."""
    from openpim.cli import auditing

    return auditing.keys(context) if args.act == "key" else auditing.verify(args, context)
