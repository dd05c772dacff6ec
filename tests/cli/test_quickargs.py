"""Reading a command line with and without argparse gives the same."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpim.cli.commands import COMMANDS, common, load
from openpim.cli.parser import build
from openpim.cli.quickargs import Quick
from openpim.client.errors import PimError

NAMES = [name for name in COMMANDS if name != "serve"]
LINES = [
    ("list", ""), ("list", "active -o json"), ("list", "nonsense"), ("list", "-o"), ("list", "-o xml"), ("list", "active all"),
    ("activate", "teams"), ("activate", ""), ("activate", "a b -d 2h -j 'x y' -t A:1 --au Berlin --dry-run"),
    ("activate", "a --duration=2h"), ("activate", "a -d2h"), ("activate", "--help"), ("activate", "-- -x"), ("activate", "a -j -x"),
    ("extend", "a b -d 2h --eligible -t A:1 --no-wait"), ("renew", "a --until +90d --active"), ("renew", "a --active --eligible"),
    ("requests", "-n 5"), ("requests", "-n x"), ("login", "--server a --entra"), ("login", "--entra --tenant t --acr c1"),
    ("policy", "set x --mfa --no-ticket --approver a --approver b"), ("policy", "set"), ("assign", "r w --permanent -d 2h"),
    ("profile", ""), ("profile", "use x"), ("approve", "--all -y -j ok"), ("approve", "a --debug --no-color --profile p"),
]  # fmt: skip


def both(name, argv):
    quick = Quick()
    load(name).configure(quick)
    common(quick)
    found = quick.parse(argv)
    try:
        full = vars(build(name, load(name)).parse_intermixed_args(argv))
    except (PimError, SystemExit):
        full = None
    return None if found is None else vars(found), full


@pytest.mark.parametrize(("name", "line"), LINES)
def test_known_lines(name, line):
    quick, full = both(name, shlex.split(line))
    assert quick is None or quick == full


def test_ordinary_lines_are_quick():
    for name, line in LINES[:2] + LINES[6:7] + [LINES[8], LINES[14]]:
        assert both(name, shlex.split(line))[0] is not None


WORDS = st.sampled_from([
    "a", "active", "set", "show", "-o", "json", "-d", "2h", "-j", "text", "--all", "--au", "--mfa", "--no-mfa", "-n", "3", "--", "-", "",
    "--help", "-x", "--output=json", "--approver", "--permanent", "--until", "--eligible", "--active", "--entra", "--server", "-1", "-ojson",
])  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(NAMES), st.lists(WORDS, max_size=6))
def test_any_line(name, argv):
    quick, full = both(name, argv)
    assert quick is None or quick == full
