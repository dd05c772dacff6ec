"""The environment of the templates. Its own file, because importing Jinja takes longer than a start may wait.

Words without values in them (`t("Activate")`) are put in when a template is compiled: a page has hundreds of them, and
calling `t` for each was half of what a page cost. An environment is therefore one language's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer


class Templates(Environment):
    """Templates of this package. t: gives the text in the reader's language; also a global of the templates."""

    def __init__(self, t: Callable[[str], str]) -> None:
        super().__init__(
            loader=PackageLoader("openpim.faces.portal"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.globals["t"] = t
        self._words = _Words(t)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        """Jinja's hook between reading a template and compiling it."""
        return super()._generate(self._words.visit(source), *args, **kwargs)


class _Words(NodeTransformer):
    def __init__(self, t: Callable[[str], str]) -> None:
        self._t = t

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the name Jinja's visitor looks for
        self.generic_visit(node)
        plain = len(node.args) == 1 and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if plain and isinstance(node.node, nodes.Name) and node.node.name == "t":
            (text,) = node.args
            if isinstance(text, nodes.Const) and isinstance(text.value, str):
                return nodes.Const(self._t(text.value), lineno=node.lineno)
        return node
