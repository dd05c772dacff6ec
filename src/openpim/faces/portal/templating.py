"""The environment of the templates. Its own file, because importing Jinja takes longer than a start may wait.

A page is a thousand small pieces, and what Jinja does around each costs more than the piece. So, when a template is compiled:

- Words without values in them (`t("Activate")`) are put in, and those with values (`t("Choose {role}", role=…)`) become the
  texts between the values. An environment is therefore one language's.
- Functions and macros are called as they are: none of ours asks for Jinja's context.
- What is written out is escaped only where there is something to escape.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from string import Formatter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

_special = re.compile("[&<>\"']").search  # all that `escape` changes


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
        self.code_generator_class = _Direct
        self._words = _Words(t)

    @staticmethod
    def safe(value: Any) -> str:
        """A value as a piece of a page: escaped, if it is not safe."""
        if type(value) is Markup or (type(value) is str and _special(value) is None):
            return value
        return escape(value)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        """Jinja's hook between reading a template and compiling it."""
        return super()._generate(self._words.visit(source), *args, **kwargs)


class _Direct(CodeGenerator):
    """Jinja's own, but for what it writes around every call and every value."""

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802 - as in Jinja
        if forward_caller or node.dyn_args or node.dyn_kwargs:
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for given in (*node.args, *node.kwargs):
            self.visit(given, frame)
            self.write(", ")
        self.write(")")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.safe(")


class _Words(NodeTransformer):
    def __init__(self, t: Callable[[str], str]) -> None:
        self._t = t

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the name Jinja's visitor looks for
        self.generic_visit(node)
        text = self._text(node)
        return node if text is None or node.kwargs else nodes.Const(text, lineno=node.lineno)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - as above
        self.generic_visit(node)
        node.nodes = [piece for one in node.nodes for piece in self._pieces(one)]
        return node

    def _text(self, node: nodes.Node) -> str | None:
        """What `t("…")` gives, before values are put in; None for everything else."""
        if not isinstance(node, nodes.Call) or node.dyn_args or node.dyn_kwargs or len(node.args) != 1:
            return None
        called, text = node.node, node.args[0]
        if not isinstance(called, nodes.Name) or called.name != "t" or not isinstance(text, nodes.Const):
            return None
        return self._t(text.value) if isinstance(text.value, str) else None

    def _pieces(self, node: nodes.Expr) -> list[nodes.Expr]:
        """A text that is written as it is, as what it is made of."""
        text = self._text(node)
        if text is None or not isinstance(node, nodes.Call):
            return [node]
        values = {one.key: one.value for one in node.kwargs}
        found: list[nodes.Expr] = []
        for said, name, how, conversion in Formatter().parse(text):
            if said:
                found.append(nodes.Const(said, lineno=node.lineno))
            if name is not None:
                if name not in values or how or conversion:
                    return [node]
                found.append(values[name])
        return found
