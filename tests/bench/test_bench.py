"""The benchmarks run, on tiny sizes. Figures are never judged here: a loaded machine must not fail a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the clocks of other processes as Linux gives them")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("activate", {"activate, SQLite", "approve, SQLite"}),
        ("listing", {"list, 60 people", "list, 200 people", "list, 200 against 60"}),
        (
            "tree",
            {
                "tree, my 500 eligibilities, SQLite",
                "tree, activate further down, SQLite",
                "tree, memory, SQLite",
            },
        ),
        ("portal", {"portal, my roles, 500 eligibilities", "portal, approvals, 500 eligibilities"}),
        ("streams", {"stream, syslog", "stream, OTLP", "export, 500 events", "metrics, counting a request"}),
        (
            "connect_databases",
            {
                "PostgreSQL: begin to usable",
                "PostgreSQL: end to unusable",
                "PostgreSQL: 200 at once end",
                "PostgreSQL: a look that ends 200, withdrawn",
                "MariaDB: begin to usable",
            },
        ),
        (
            "connect_ldap",
            {
                "LDAP group: begin to usable",
                "LDAP entry (dds): end to unusable",
                "LDAP group: 200 at once end",
                "LDAP group, by name: 200 at once begin",
            },
        ),
        (
            "decisions",
            {
                "decision in process, 400 assignments",
                "decision over HTTP",
                "1,000 decisions in one request",
            },
        ),
        ("signals", {"signals, told of an act, SQLite", "signals, told of an end by time, SQLite"}),
        (
            "audit",
            {
                "audit, what the log costs an activation, SQLite",
                "audit, export, SQLite",
                "audit, verify, SQLite",
            },
        ),
        ("start", {"start, first time", "start, again", "idle memory, first time", "idle memory, again"}),
        ("command", {"pim list", "pim activate"}),
    ],
)
def test_it_runs_and_keeps_what_it_measured(name, expected, tmp_path):
    kept = tmp_path / "figures.json"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "bench",
            "--tiny",
            "--only",
            name,
            "--json",
            str(kept),
            "--dir",
            str(tmp_path),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    figures = {figure["name"]: figure for figure in json.loads(kept.read_text())["figures"]}
    assert expected <= figures.keys()
    for figure in figures.values():
        assert figure["ours"] > 0
        assert figure["floor"] > 0
        assert figure["name"] in done.stdout
