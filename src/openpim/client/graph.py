"""Graph requests: lists followed page by page, several at once by `$batch`, stronger sign-in when asked.

A request that the server refuses until the caller signs in more strongly is repeated once after that:
a 401 with a claims challenge, a failed authentication context, a failed MFA rule.
"""

from __future__ import annotations

import json

from openpim.client import clock
from openpim.client.errors import GraphError, PimError, StepUpError, graph_error
from openpim.client.http11 import Response, split_url
from openpim.client.transport import decode_json, quote, retry_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openpim.client.profiles import Profile
    from openpim.client.session import Session
    from openpim.client.transport import Transport

    Row = dict[str, Any]

__all__ = ["Graph", "literal", "query"]

MAX_PAGES = 1000
MAX_ROWS = 200_000
_BATCH = 20


def literal(text: str) -> str:
    """A string in an OData filter: quoted, with quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def query(path: str, **options: str) -> str:
    """`path?$filter=…&$expand=…` from the options that are not empty, percent-encoded."""
    pairs = [f"${name}={quote(value, query=True)}" for name, value in options.items() if value]
    return path + "?" + "&".join(pairs) if pairs else path


class Graph:
    """Graph as one signed-in account."""

    def __init__(self, profile: Profile, session: Session, transport: Transport) -> None:
        self.profile = profile
        self.session = session
        self.transport = transport

    @property
    def me(self) -> str:
        """The object id of who is signed in."""
        oid = self.session.tokens().account.get("oid", "")
        if not oid:
            raise PimError("signin", "the sign-in does not say who it is", "sign in again: pim login")
        return oid

    # -- one request ---------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: Row | None = None, *, beta: bool = False, step_up: bool = True
    ) -> Any:
        """The decoded answer (None for 204); a stronger sign-in is made once if the server asks for it."""
        url = path if "://" in path else f"{self.profile.graph}/{'beta' if beta else 'v1.0'}{path}"
        try:
            return self._once(method, url, body)
        except StepUpError as error:
            if not step_up:
                raise
            self.session.step_up(error.claims)
        return self._once(method, url, body)

    def _once(self, method: str, url: str, body: Row | None, *, reads: bool = False) -> Any:
        response = self._authorized(method, url, body, reads=reads)
        if response.status == 401 and "insufficient_claims" not in response.headers.get(
            "www-authenticate", ""
        ):
            self.session.renew()
            response = self._authorized(method, url, body, reads=reads)
        data = decode_json(response)
        if 200 <= response.status < 300:
            if data is None and response.body:
                raise PimError(
                    "server", f"{url.partition('?')[0]} did not answer with JSON", "see: pim doctor"
                )
            return data
        raise _refused(response.status, response.headers, data)

    def _authorized(self, method: str, url: str, body: Row | None, *, reads: bool) -> Response:
        headers = {"Authorization": "Bearer " + self.session.tokens().access}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, separators=(",", ":")).encode()
        return self.transport.send(method, url, headers, data, reads=reads)

    def get(self, path: str, *, beta: bool = False) -> Row:
        """One object."""
        data = self.request("GET", path, beta=beta)
        if not isinstance(data, dict):
            raise PimError(
                "server", "the server answered with something else than an object", "see: pim doctor"
            )
        return data

    # -- lists ---------------------------------------------------------------------------------

    def rows(self, path: str, *, beta: bool = False, limit: int = MAX_ROWS) -> list[Row]:
        """Every row of a list, page by page, at most `limit`."""
        return self._follow(self.get(path, beta=beta), limit)

    def _follow(self, page: Row, limit: int) -> list[Row]:
        rows: list[Row] = []
        for _ in range(MAX_PAGES):
            value = page.get("value")
            if not isinstance(value, list):
                raise PimError(
                    "server", "the server answered with something else than a list", "see: pim doctor"
                )
            rows += [row for row in value if isinstance(row, dict)]
            link = page.get("@odata.nextLink")
            if not link or len(rows) >= limit:
                return rows[:limit]
            page = self.get(self._same_origin(str(link)))
        raise PimError("server", f"a list of more than {MAX_PAGES} pages", "ask for less")

    def _same_origin(self, link: str) -> str:
        if split_url(link)[:3] != split_url(self.profile.graph)[:3]:
            text = "the server sent the next page to another address; refusing to follow with your token"
            raise PimError("server", text, "see: pim doctor")
        return link

    def lists(self, *paths: str, beta: bool = False) -> list[list[Row] | GraphError]:
        """Several lists in one round trip; a list that is refused gives its error instead."""
        if len(paths) == 1:
            try:
                return [self.rows(paths[0], beta=beta)]
            except GraphError as error:
                return [error]
        answers = self.batch([("GET", path, None) for path in paths], beta=beta)
        return [
            self._follow(answer, MAX_ROWS) if isinstance(answer, dict) else answer or _no_answer()
            for answer in answers
        ]

    # -- several at once -----------------------------------------------------------------------

    def batch(
        self, calls: list[tuple[str, str, Row | None]], *, beta: bool = False, step_up: bool = True
    ) -> list[Any]:
        """The answers in the order of the calls: decoded, or the `PimError`; one stronger sign-in at most."""
        answers = self._batched(calls, beta)
        if not step_up:
            return answers
        again = [index for index, answer in enumerate(answers) if isinstance(answer, StepUpError)]
        for claims in dict.fromkeys(answers[index].claims for index in again):
            self.session.step_up(claims)
        if again:
            repeated = self._batched([calls[index] for index in again], beta)
            for index, answer in zip(again, repeated, strict=True):
                answers[index] = _plain(answer)
        return answers

    def _batched(self, calls: list[tuple[str, str, Row | None]], beta: bool) -> list[Any]:
        answers: list[Any] = []
        for first in range(0, len(calls), _BATCH):
            answers += self._one_batch(calls[first : first + _BATCH], beta)
        return answers

    def _one_batch(self, calls: list[tuple[str, str, Row | None]], beta: bool) -> list[Any]:
        requests = []
        for index, (method, path, body) in enumerate(calls):
            item: Row = {"id": str(index), "method": method, "url": path}
            if body is not None:
                item["headers"] = {"Content-Type": "application/json"}
                item["body"] = body
            requests.append(item)
        url = f"{self.profile.graph}/{'beta' if beta else 'v1.0'}/$batch"
        try:
            reads = all(method == "GET" for method, _, _ in calls)
            data = self._once("POST", url, {"requests": requests}, reads=reads)
        except GraphError as error:
            if error.status in {404, 405, 501}:
                return [self._single(*call, beta=beta) for call in calls]
            raise
        found: dict[str, Row] = {}
        for answer in data.get("responses") or [] if isinstance(data, dict) else []:
            if isinstance(answer, dict):
                found[str(answer.get("id"))] = answer
        return [self._answer(found.get(str(index)), calls[index], beta) for index in range(len(calls))]

    def _answer(self, answer: Row | None, call: tuple[str, str, Row | None], beta: bool) -> Any:
        if answer is None:
            return _no_answer()
        status = answer.get("status")
        status = status if isinstance(status, int) else 500
        given = answer.get("headers")
        headers = {str(k).lower(): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
        if 200 <= status < 300:
            return answer.get("body")
        if status == 429:
            clock.sleep(min(60.0, retry_after(headers, 1)))
            return self._single(*call, beta=beta)
        return _refused(status, headers, answer.get("body"))

    def _single(self, method: str, path: str, body: Row | None, *, beta: bool) -> Any:
        try:
            return self._once(method, f"{self.profile.graph}/{'beta' if beta else 'v1.0'}{path}", body)
        except (GraphError, StepUpError) as error:
            return error


def _no_answer() -> GraphError:
    return GraphError("server", "the server left a part of the batch unanswered", "try again", 500, "", [])


def _plain(answer: Any) -> Any:
    """A second demand for a stronger sign-in is an error of its own: it was just met."""
    if isinstance(answer, StepUpError):
        return GraphError("policy", answer.message, "sign in again: pim login --mfa", 400, "", [])
    return answer


def _refused(status: int, headers: dict[str, str], data: Any) -> PimError:
    """The error of an answer; a `StepUpError` where a stronger sign-in would help."""
    from openpim.client import claims as asked

    challenge = asked.challenge(headers.get("www-authenticate", "")) if status == 401 else ""
    if challenge:
        return StepUpError(challenge, "the server wants a stronger sign-in first", "sign in: pim login")
    error = graph_error(status, data)
    if error.code == "RoleAssignmentRequestAcrsValidationFailed":
        claims = asked.from_message(error.message)
        if claims:
            wanted = ", ".join(asked.wanted(claims).get("acrs", []))
            text = f"the role's policy asks for the authentication context {wanted}"
            return StepUpError(claims, text, f"sign in: pim login --acr {wanted}")
    if error.rules == ["MfaRule"]:
        return StepUpError(asked.MFA, error.message, "sign in: pim login --mfa")
    return error
