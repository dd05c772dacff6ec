"""The templates write what Jinja would, by shorter ways."""

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from openpim.core.grants import Provider
from openpim.faces.portal import words
from openpim.faces.portal.templating import Templates

_SOURCE = (
    "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{% set kept %}<i>{{ value }}</i>{% endset %}"
    "<p title=\"{{ value }}\">{{ value }}{{ twice(value) }}{{ kept }}{{ value ~ '<' }}</p>"
    "{% autoescape false %}{{ value }}{% endautoescape %}{% autoescape raw %}{{ value }}{% endautoescape %}"
)


class Wrapped(str):
    """A text of another class, which Jinja escapes too."""

    __slots__ = ()


_OURS = Templates(str).from_string(_SOURCE)
_THEIRS = jinja2.Environment(autoescape=True).from_string(_SOURCE)


def _both(value: object, *, raw: bool) -> tuple[str, str]:
    return _OURS.render(value=value, raw=raw), _THEIRS.render(value=value, raw=raw)


@given(
    text=st.text(alphabet="ab &<>\"'é", max_size=8),
    make=st.sampled_from([str, Markup, Wrapped]),
    raw=st.booleans(),
)
def test_any_text_is_written_as_jinja_writes_it(text: str, make: type[str], *, raw: bool) -> None:
    ours, theirs = _both(make(text), raw=raw)
    assert ours == theirs


@pytest.mark.parametrize("value", [None, 12, 1.5, True, Provider.DIRECTORY, ["<", Markup("<")]])
def test_any_value_is_written_as_jinja_writes_it(value: object) -> None:
    ours, theirs = _both(value, raw=True)
    assert ours == theirs


def test_what_is_not_there_is_an_error_and_not_nothing() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Templates(str).from_string("{{ nothing }}").render()


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("{{ t('Choose {role} at {place}', role=value, place='<b>') }}", "Choose a&lt;b at &lt;b&gt;"),
        ("{{ t('{n} of {n}', n=3) }}", "3 of 3"),
        ("{{ t('{{kept}} {role}', role=value) }}", "{kept} a&lt;b"),
        ("{% set said = t('For {role}', role=value) %}{{ said }}", "For a&lt;b"),
        ("{{ t('{role:>5}', role='x') }}", "    x"),
        ("{{ t('<b>') }}", "&lt;b&gt;"),
    ],
)
def test_values_come_into_words(source: str, written: str) -> None:
    assert Templates(words.t).from_string(source).render(value="a<b") == written


def test_words_that_lack_a_value_are_an_error() -> None:
    with pytest.raises(KeyError):
        Templates(words.t).from_string("{{ t('For {role}', place='x') }}").render()
