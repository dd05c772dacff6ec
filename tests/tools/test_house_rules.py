"""Each house rule, with a line that breaks it and a line that only looks like it."""

from __future__ import annotations

import pytest

from tools.house_rules import MAX_LINES, faults_in

SERVICE = "src/openpim/services/activate.py"
STORE = "src/openpim/store/schedules.py"

BROKEN = [
    (SERVICE, "pass\n" * (MAX_LINES + 1), "HR001"),
    (SERVICE, "import sqlalchemy\n", "HR002"),
    (SERVICE, "from sqlalchemy.engine import Engine\n", "HR002"),
    ("src/openpim/faces/graph/me.py", "def f():\n    import sqlite3\n", "HR002"),
    (SERVICE, "q = 'select id from schedules'\n", "HR003"),
    (SERVICE, "q = f'DELETE FROM schedules WHERE id = {1}'\n", "HR003"),
    (STORE, "q = text(f'select {x}')\n", "HR004"),
    (STORE, "q = sa.text(statement)\n", "HR004"),
    ("requirements/dev.txt", "--index" + "-url somewhere\n", "HR005"),
    ("requirements/dev.txt", "-i somewhere\n", "HR005"),
    ("Makefile", "all:\n\tcurl http" + "://packages.invalid/x\n", "HR005"),
    (SERVICE, "x = reply.status_code\n", "HR006"),
]
KEPT = [
    (SERVICE, "pass\n" * MAX_LINES),
    ("tests/services/test_activate.py", "import sqlalchemy\n"),
    (STORE, "import sqlalchemy\nq = text('select 1 from x where id = :id')\n"),
    (SERVICE, '"""Select the best road from here."""\n'),
    (SERVICE, "q = 'Select one of the roles'\n"),
    (SERVICE, "q = 'select a from b'  # house: HR003 an example in a message\n"),
    ("requirements/dev.txt", "pytest==9.0.0 \\\n    --hash=sha256:00\n    # via -r dev\n"),
    ("Makefile", "run:\n\techo https://localhost:8443\n"),
    ("docs/how-to/x.md", "curl http" + "://packages.invalid/x\n"),
]


@pytest.mark.parametrize(("path", "content", "code"), BROKEN)
def test_a_broken_rule_is_found(path, content, code):
    assert [fault.code for fault in faults_in(path, content)] == [code]


@pytest.mark.parametrize(("path", "content"), KEPT)
def test_what_keeps_the_rules_is_left_alone(path, content):
    assert faults_in(path, content) == []


def test_an_excuse_needs_its_own_code_and_a_reason():
    assert faults_in(SERVICE, "q = 'select a from b'  # house: HR002 wrong code\n")
    assert faults_in(SERVICE, "q = 'select a from b'  # house: HR003\n")


def test_a_fault_says_where_it_is():
    (fault,) = faults_in(SERVICE, "x = 1\nimport psycopg\n")
    assert str(fault) == f"{SERVICE}:2: HR002 psycopg is for src/openpim/store/"
