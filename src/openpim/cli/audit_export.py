"""`pim audit export`: the audit history into a file, portion by portion; whoever is interrupted runs it again and goes on."""

from __future__ import annotations

import contextlib
import json
import os
import sys

from openpim.client import clock
from openpim.client.errors import PimError
from openpim.client.graph import query
from openpim.client.instants import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import IO, Any

    from openpim.cli.context import Context

PATH = "/openPim/auditExport"
FORMS = ("jsonl", "csv", "parquet")
PORTION = 2000
_ROWS = 50_000


def run(args: Namespace, context: Context) -> int:
    """Take it out."""
    form = args.format or _by_name(args.file)
    if form == "parquet":
        _pyarrow()
        if args.file == "-":
            raise PimError("usage", "Parquet needs a file, not standard output", "name a file")
    asked = {"format": "rows" if form == "parquet" else form, "top": str(PORTION), "filter": _filter(args)}
    if args.file == "-":
        return _to_stream(context, asked)
    if not args.file:
        raise PimError("usage", "say which file", "pim audit export history.jsonl")
    if os.path.exists(args.file) and not args.force:
        raise PimError("usage", f"{args.file} is there already", "name another file, or add --force")
    count = _to_file(context, asked, args.file)
    if form == "parquet":
        _to_parquet(args.file)
    context.note(f"{count} events are in {args.file}")
    return 0


def _by_name(file: str) -> str:
    ending = file.rpartition(".")[2].lower()
    return ending if ending in FORMS else "jsonl"


def _filter(args: Namespace) -> str:
    parts = [f"({args.filter})"] if args.filter else []
    for option, word in (("since", "ge"), ("until", "lt")):
        text = getattr(args, option)
        if text:
            parts.append(f"activityDateTime {word} {iso(_moment(text, f'--{option}'))}")
    return " and ".join(parts)


def _moment(text: str, option: str) -> float:
    """A point in time, or how long ago."""
    from openpim.cli.times import moment, seconds_of

    if text[:1].isdigit() and text[-1:].isalpha() and "T" not in text:
        return clock.now() - seconds_of(text, option)
    return moment(text, option)


def _portion(context: Context, asked: dict[str, str], at: str) -> tuple[bytes, str]:
    path = query(PATH, filter=asked["filter"], top=asked["top"])
    path += ("&" if "?" in path else "?") + f"format={asked['format']}" + (f"&at={at}" if at else "")
    data, headers = context.graph.download(path, beta=True)
    return data, headers.get("openpim-next", "")


def _to_stream(context: Context, asked: dict[str, str]) -> int:
    at = ""
    while True:
        data, at = _portion(context, asked, at)
        sys.stdout.buffer.write(data)
        if not at:
            sys.stdout.buffer.flush()
            return 0


def _to_file(context: Context, asked: dict[str, str], name: str) -> int:
    """Into NAME.part; beside it stands how far it is. Both are gone when all is there."""
    part, mark = f"{name}.part", f"{name}.part.json"
    state = _state(mark, asked)
    kept = state is not None and os.path.exists(part) and os.path.getsize(part) >= state["size"]
    at, count = (str(state["at"]), int(state["count"])) if state is not None and kept else ("", 0)
    with open(part, "r+b" if kept else "wb") as file:
        if kept and state is not None:
            file.truncate(state["size"])
            file.seek(state["size"])
            context.note(f"going on after {count} events")
        count = _fill(context, asked, file, mark, at, count)
    os.replace(part, name)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(mark)
    return count


def _fill(context: Context, asked: dict[str, str], file: IO[bytes], mark: str, at: str, count: int) -> int:
    heads = 1 if asked["format"] == "csv" and not at else 0
    seen = sys.stderr.isatty()
    while True:
        data, at = _portion(context, asked, at)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        count += _events(data, asked["format"]) - heads
        heads = 0
        if seen:
            sys.stderr.write(f"\r{count} events")
            sys.stderr.flush()
        if not at:
            if seen:
                sys.stderr.write("\r\x1b[K")
            return count
        _keep(mark, {**asked, "at": at, "size": file.tell(), "count": count})


def _events(data: bytes, form: str) -> int:
    """Lines; in CSV a cell may hold some."""
    if form != "csv":
        return data.count(b"\n")
    import csv
    import io

    return sum(1 for _ in csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline="")))


def _state(mark: str, asked: dict[str, str]) -> dict[str, Any] | None:
    """How far an earlier run of the same export came."""
    try:
        with open(mark, encoding="utf-8") as file:
            found = json.load(file)
        good = isinstance(found, dict) and all(found.get(name) == value for name, value in asked.items())
        return found if good and isinstance(found["size"], int) and isinstance(found["count"], int) else None
    except (OSError, ValueError, KeyError):
        return None


def _keep(mark: str, state: dict[str, Any]) -> None:
    fresh = f"{mark}.new"
    with open(fresh, "w", encoding="utf-8") as file:
        json.dump(state, file)
    os.replace(fresh, mark)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise PimError(
            "usage", "writing Parquet needs pyarrow", "install it: pip install 'openpim[parquet]'"
        ) from None
    return pa, pq


def _to_parquet(name: str) -> None:
    """The rows in the file become Parquet, in groups: all columns are texts, but the position (a number) and the time."""
    arrow, parquet = _pyarrow()
    fresh = f"{name}.parquet-part"
    writer: Any = None
    try:
        with open(name, encoding="utf-8") as lines:
            while True:
                rows = [json.loads(line) for _, line in zip(range(_ROWS), lines, strict=False)]
                if not rows and writer is not None:
                    break
                table = _table(arrow, rows)
                writer = writer or parquet.ParquetWriter(fresh, table.schema, compression="zstd")
                writer.write_table(table)
                if not rows:
                    break
    finally:
        if writer is not None:
            writer.close()
    os.replace(fresh, name)


def _table(arrow: Any, rows: list[dict[str, str]]) -> Any:
    names = list(rows[0]) if rows else ["position", "time", "activity", "id"]
    kinds = {"position": arrow.int64(), "time": arrow.timestamp("us", tz="UTC")}
    columns = {}
    for name in names:
        texts = arrow.array(
            [row[name] or None if name in kinds else row[name] for row in rows], arrow.string()
        )
        columns[name] = _cast(arrow, texts, name, kinds)
    return arrow.table(columns)


def _cast(arrow: Any, texts: Any, name: str, kinds: dict[str, Any]) -> Any:
    if name == "time":
        bare = [text.as_py().removesuffix("Z") if text.is_valid else None for text in texts]
        naive = arrow.array(bare, arrow.string()).cast(arrow.timestamp("us"))
        return naive.cast(kinds[name])
    return texts.cast(kinds[name]) if name in kinds else texts
