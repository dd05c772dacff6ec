"""`pim audit`: prove that the audit history is what it was, take it out, and say where it is sent to."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = """Prove that nothing in the audit history was changed, removed, put in between or set back.

Without FILE the history is read from the server; with FILE from what --save wrote, on any machine, without a server.
What was seen is remembered, and the next check must find a history that begins with it.

export writes the history to a file (JSON Lines, CSV or Parquet, by the file's ending), the oldest event first; who is
interrupted runs it again and goes on. streams lists where the history is sent to, and adds, changes, pauses, resumes,
tries again (retry) or removes a destination."""
EXAMPLES = """examples:
  pim audit verify
  pim audit verify --save history.jsonl.gz
  pim audit verify history.jsonl.gz --key 'openpim.audit/5d0c…+3f2a1b9c+AW0v…'
  pim audit key
  pim audit export history.csv --since 30d
  pim audit export history.parquet --filter "category eq 'RoleManagement'"
  pim audit streams
  pim audit streams add siem --kind syslog --address tls://siem.example.com:6514
  pim audit streams add cloud --kind otlp --address https://otel.example.com/v1/logs --secret-file token.txt
  pim audit streams pause siem
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "act",
        choices=("verify", "key", "export", "streams"),
        help="verify, show the public keys of the log, export, or the destinations of the history",
    )
    parser.add_argument(
        "file",
        nargs="?",
        default="",
        metavar="FILE",
        help="verify: what --save wrote (.gz is read too); export: where to (-: standard output); streams: list, add, "
        "change, pause, resume, retry or remove",
    )
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="with streams: which one")
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

    _export(parser)
    _streams(parser)


def _export(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("export")
    group.add_argument(
        "--format",
        choices=("jsonl", "csv", "parquet"),
        default="",
        help="instead of what the file's ending says",
    )
    group.add_argument("--since", default="", metavar="TIME", help="events from then on: 30d, 2026-11-02")
    group.add_argument("--until", default="", metavar="TIME", help="events before then")
    group.add_argument("--filter", default="", metavar="ODATA", help="as for /auditLogs/directoryAudits")
    group.add_argument("--force", action="store_true", help="write over a file that is there")


def _streams(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("streams")
    group.add_argument(
        "--kind", choices=("syslog", "otlp", "ocsf"), default="", help="with add: what is there"
    )
    group.add_argument(
        "--address",
        default="",
        metavar="ADDRESS",
        help="tls://host:6514 for syslog, an https URL for the others",
    )
    group.add_argument(
        "--secret-file",
        default="",
        metavar="FILE",
        help="what is sent in the header: a file, or - (standard input)",
    )
    group.add_argument(
        "--header", default="", metavar="NAME", help="the secret's header (default: Authorization)"
    )
    group.add_argument(
        "--facility", type=int, default=None, metavar="N", help="of syslog, 0 to 23 (default: 13)"
    )
    group.add_argument("--no-gzip", action="store_true", help="send without compression")
    group.add_argument(
        "--from-beginning", action="store_true", help="with add: all of the history, not only from now on"
    )


def run(args: Namespace, context: Context) -> int:
    """Verify, show the keys, export, or see to the streams."""
    if args.act == "export":
        from openpim.cli import audit_export

        return audit_export.run(args, context)
    if args.act == "streams":
        from openpim.cli import audit_streams

        return audit_streams.run(args, context)
    from openpim.cli import auditing

    return auditing.keys(context) if args.act == "key" else auditing.verify(args, context)
