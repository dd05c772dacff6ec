"""What Graph and the resource manager have in common for a client: JSON requests with a token, lists followed page by
page, several requests at once, and a stronger sign-in when one is asked for.

A request that the server refuses until the caller signs in more strongly is repeated once after that: a 401 with a
claims challenge, a failed authentication context, a failed MFA rule.
"""

from __future__ import annotations

import json

from openpim.client import clock
from openpim.client.errors import GraphError, PimError, StepUpError, graph_error
from openpim.client.http11 import Response, split_url
from openpim.client.transport import decode_json, retry_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from openpim.client.profiles import Profile
    from openpim.client.session import Session
    from openpim.client.transport import Transport

    Row = dict[str, Any]
    Call = tuple[str, str, Row | None]

__all__ = ["MAX_ROWS", "Api"]

MAX_PAGES = 1000
MAX_ROWS = 200_000


class Api:
    """One API as one signed-in account.  `resource`: whom its token is for, "" for Graph."""

    resource = ""
    link = "@odata.nextLink"
    together = 20  # requests in one batch

    def __init__(self, profile: Profile, session: Session, transport: Transport) -> None:
        self.profile = profile
        self.session = session
        self.transport = transport

    # -- what each API has of its own ----------------------------------------------------------

    def url(self, path: str, *, beta: bool = False) -> str:
        """The whole address of a path."""
        raise NotImplementedError

    def envelope(self, calls: Sequence[Call], *, beta: bool = False) -> tuple[str, Row]:
        """Address and body of a batch."""
        raise NotImplementedError

    def opened(self, data: Any) -> dict[str, tuple[int, dict[str, str], Any]]:
        """The answers in a batch's answer, by their number: status, headers, body."""
        raise NotImplementedError

    @property
    def batches(self) -> bool:
        """Whether several requests may go as one."""
        return True

    # -- one request ---------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: Row | None = None, *, beta: bool = False, step_up: bool = True
    ) -> Any:
        """The decoded answer (None for 204); a stronger sign-in is made once if the server asks for it."""
        url = self.url(path, beta=beta)
        try:
            return self._once(method, url, body)
        except StepUpError as error:
            if not step_up:
                raise
            self.session.step_up(error.claims, self.resource)
        return self._once(method, url, body)

    def _once(self, method: str, url: str, body: Row | None, *, reads: bool = False) -> Any:
        response = self._authorized(method, url, body, reads=reads)
        if response.status == 401 and "insufficient_claims" not in response.headers.get(
            "www-authenticate", ""
        ):
            self.session.renew(self.resource)
            response = self._authorized(method, url, body, reads=reads)
        data = decode_json(response)
        if 200 <= response.status < 300:
            if data is None and response.body:
                raise PimError(
                    "server", f"{url.partition('?')[0]} did not answer with JSON", "see: pim doctor"
                )
            return data
        raise _refused(response.status, response.headers, data)

    def download(self, path: str, *, beta: bool = False) -> tuple[bytes, dict[str, str]]:
        """An answer that is no JSON object: its bytes and headers."""
        url = self.url(path, beta=beta)
        response = self._authorized("GET", url, None, reads=True)
        if response.status == 401:
            self.session.renew(self.resource)
            response = self._authorized("GET", url, None, reads=True)
        if 200 <= response.status < 300:
            return response.body, response.headers
        raise _refused(response.status, response.headers, decode_json(response))

    def _prepared(self, body: Row | None) -> tuple[dict[str, str], bytes | None]:
        headers = {"Authorization": "Bearer " + self.session.access(self.resource)}
        if body is None:
            return headers, None
        headers["Content-Type"] = "application/json"
        return headers, json.dumps(body, separators=(",", ":")).encode()

    def _authorized(self, method: str, url: str, body: Row | None, *, reads: bool) -> Response:
        headers, data = self._prepared(body)
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
            link = page.get(self.link)
            if not link or len(rows) >= limit:
                return rows[:limit]
            page = self.get(str(link))
        raise PimError("server", f"a list of more than {MAX_PAGES} pages", "ask for less")

    def same_origin(self, link: str) -> str:
        """The link, if it stays at this API: a token goes nowhere else."""
        if split_url(link)[:3] != split_url(self.url("/"))[:3]:
            text = "the server sent us on to another address; refusing to follow with your token"
            raise PimError("server", text, "see: pim doctor")
        return link

    def lists(self, *paths: str, beta: bool = False) -> list[list[Row] | GraphError]:
        """Several lists in one round trip; a list that is refused gives its error instead."""
        if len(paths) == 1 or not self.batches:
            return [self._list(path, beta=beta) for path in paths]
        answers = self.batch([("GET", path, None) for path in paths], beta=beta)
        return [
            self._follow(answer, MAX_ROWS) if isinstance(answer, dict) else answer or _no_answer()
            for answer in answers
        ]

    def _list(self, path: str, *, beta: bool) -> list[Row] | GraphError:
        try:
            return self.rows(path, beta=beta)
        except GraphError as error:
            return error

    def begin(self, *paths: str) -> None:
        """Ask for lists now that `lists` with the same paths will read: meanwhile another API can be asked too."""
        if len(paths) == 1 or not self.batches:
            headers, data = self._prepared(None)
            self.transport.begin("GET", self.url(paths[0]), headers, data)
        else:
            url, body = self.envelope([("GET", path, None) for path in paths[: self.together]])
            headers, data = self._prepared(body)
            self.transport.begin("POST", url, headers, data)

    # -- several at once -----------------------------------------------------------------------

    def batch(self, calls: Sequence[Call], *, beta: bool = False, step_up: bool = True) -> list[Any]:
        """The answers in the order of the calls: decoded, or the `PimError`; one stronger sign-in at most."""
        answers = self._batched(calls, beta)
        if not step_up:
            return answers
        again = [index for index, answer in enumerate(answers) if isinstance(answer, StepUpError)]
        for claims in dict.fromkeys(answers[index].claims for index in again):
            self.session.step_up(claims, self.resource)
        if again:
            repeated = self._batched([calls[index] for index in again], beta)
            for index, answer in zip(again, repeated, strict=True):
                answers[index] = _plain(answer)
        return answers

    def _batched(self, calls: Sequence[Call], beta: bool) -> list[Any]:
        if not self.batches:
            return [self._single(*call, beta=beta) for call in calls]
        answers: list[Any] = []
        for first in range(0, len(calls), self.together):
            answers += self._one_batch(calls[first : first + self.together], beta)
        return answers

    def _one_batch(self, calls: Sequence[Call], beta: bool) -> list[Any]:
        url, body = self.envelope(calls, beta=beta)
        try:
            reads = all(method == "GET" for method, _, _ in calls)
            data = self._once("POST", url, body, reads=reads)
        except GraphError as error:
            if error.status in {404, 405, 501}:
                return [self._single(*call, beta=beta) for call in calls]
            raise
        found = self.opened(data)
        return [self._answer(found.get(str(index)), calls[index], beta) for index in range(len(calls))]

    def _answer(self, answer: tuple[int, dict[str, str], Any] | None, call: Call, beta: bool) -> Any:
        if answer is None:
            return _no_answer()
        status, headers, body = answer
        if 200 <= status < 300:
            return body
        if status == 429:
            clock.sleep(min(60.0, retry_after(headers, 1)))
            return self._single(*call, beta=beta)
        return _refused(status, headers, body)

    def _single(self, method: str, path: str, body: Row | None, *, beta: bool) -> Any:
        try:
            return self._once(method, self.url(path, beta=beta), body)
        except (GraphError, StepUpError) as error:
            return error


def answers_in(rows: Any, number: str, status: str, body: str) -> dict[str, tuple[int, dict[str, str], Any]]:
    """The answers of a batch, by the names that the API has for their members."""
    found = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            code, given = row.get(status), row.get("headers")
            headers = {str(k).lower(): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
            found[str(row.get(number))] = (code if isinstance(code, int) else 500, headers, row.get(body))
    return found


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
