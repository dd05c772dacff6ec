"""A small HTTP/1.1 client: one kept-alive connection to one origin, on `socket` and `ssl` alone.

Why not `http.client`: it imports the `email` package, which alone costs as much as starting Python
four times (measured: 4.0 times `python -c pass`, this file with `ssl` 2.7 times), and `pim` is typed
many times a day.  So only what the client needs is here: no redirects, no cookies, no compression.

What comes back is bounded (`MAX_HEAD`, `MAX_BODY`), framing is strict (RFC 9112, section 6), and plain
HTTP is only spoken to the machine itself.  Proxies: `HTTPS_PROXY` and `NO_PROXY`.
"""

from __future__ import annotations

import os
import socket

from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

__all__ = ["MAX_BODY", "Connection", "Response", "StaleError", "is_loopback", "split_url"]

MAX_HEAD = 64 * 1024
MAX_BODY = 32 * 1024 * 1024
_CONNECT = 10.0  # seconds for a connection to come about, at most
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class StaleError(Exception):
    """The kept-alive connection was closed before the answer began: safe to try again if idempotent."""


class Response:
    """A whole answer; header names are lower-case, of repeated ones the values are joined by a comma."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


def is_loopback(host: str) -> bool:
    """Whether the host name means this machine."""
    return host in _LOOPBACK or host.endswith(".localhost")


def split_url(url: str) -> tuple[str, str, int, str]:
    """`(scheme, host, port, path and query)` of an absolute http(s) URL; usage error otherwise."""
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    authority, slash, path = rest.partition("/")
    host, _, port = authority.rpartition(":") if _has_port(authority) else (authority, "", "")
    host = host.strip("[]").lower()
    if not separator or scheme not in {"http", "https"} or not host or "@" in authority or " " in url:
        raise PimError("usage", f"{url!r} is not an address like https://pim.example.org")
    if port and not port.isdigit():
        raise PimError("usage", f"{url!r} has a port that is no number")
    return scheme, host, int(port) if port else (443 if scheme == "https" else 80), slash + path or "/"


def _has_port(authority: str) -> bool:
    return ":" in authority.rpartition("]")[2]


def _proxy_for(host: str) -> str:
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or ""
    if not proxy or is_loopback(host):
        return ""
    excluded = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    for pattern in excluded.split(","):
        name = pattern.strip().lstrip(".").lower()
        if name and (name in {"*", host} or host.endswith("." + name)):
            return ""
    return proxy


def _encoded(host: str) -> bytes:
    return host.encode("ascii" if host.isascii() else "idna")


class Connection:
    """One connection to `scheme://host:port`, opened when first needed and kept."""

    def __init__(
        self, scheme: str, host: str, port: int, *, ca_file: str = "", timeout: float = 30.0,
        trust: dict[str, ssl.SSLContext] | None = None,
    ) -> None:  # fmt: skip
        if scheme != "https" and not is_loopback(host):
            raise PimError(
                "usage", f"refusing to send credentials to {host} without TLS", "use an https:// address"
            )
        self.scheme = scheme
        self.host = host
        self.port = port
        self.ca_file = ca_file
        self.timeout = timeout
        self._trust = (
            {} if trust is None else trust
        )  # contexts by authority file, shared: each costs milliseconds
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._begun: tuple[str, str, bytes | None] | None = None
        self._fault_of_begun: Exception | None = None
        name = f"[{host}]" if ":" in host else host
        default = 443 if scheme == "https" else 80
        self._host_header = name if port == default else f"{name}:{port}"

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._buffer = b""
        self._begun = self._fault_of_begun = None

    def begin(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> None:
        """Send a request now; `request` with the same one will read its answer, and raise what went wrong here.

        So the answers of two origins are awaited together, without a thread.
        """
        if self._begun is not None or (self._socket is not None and _ended(self._socket)):
            self.close()
        try:
            self._send(method, path, headers, body)
        except (OSError, ValueError, StaleError, PimError) as error:
            self.close()
            self._fault_of_begun = error
        self._begun = (method, path, body)

    def _take_begun(self, method: str, path: str, body: bytes | None) -> Response | None:
        """The answer to what was begun, if that was this request; None otherwise, with nothing under way."""
        if self._begun is None:
            return None
        same, error = self._begun == (method, path, body), self._fault_of_begun
        self._begun = self._fault_of_begun = None
        if not same:
            self.close()
            return None
        try:
            if error is not None:
                raise error
            return self._answer(method)
        except StaleError:
            self.close()
            raise self._fault("closed the connection without an answer") from None
        except (OSError, ValueError) as fault:
            self.close()
            raise self._from_os(fault) from fault

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Response:
        """Send one request and read the whole answer; network faults are `PimError("server")`.

        A kept connection that turns out to be closed is opened anew, if the request is safe to repeat;
        otherwise `StaleError` is raised, because the server may have acted on it.
        """
        begun = self._take_begun(method, path, body)
        if begun is not None:
            return begun
        if self._socket is not None and _ended(self._socket):
            self.close()  # the server gave it up while it was idle: nothing was sent yet, so nothing can be repeated
        reused = self._socket is not None
        try:
            return self._exchange(method, path, headers, body)
        except StaleError:
            self.close()
            if not (reused and method in {"GET", "HEAD", "PUT"}):
                raise self._fault("closed the connection without an answer") from None
        except (OSError, ValueError) as error:
            self.close()
            if not (reused and method == "GET" and isinstance(error, ConnectionError)):
                raise self._from_os(error) from error
        try:
            return self._exchange(method, path, headers, body)
        except StaleError:
            self.close()
            raise self._fault("closed the connection without an answer") from None
        except (OSError, ValueError) as error:
            self.close()
            raise self._from_os(error) from error

    def _exchange(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Response:
        self._send(method, path, headers, body)
        return self._answer(method)

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> None:
        if self._socket is None:
            self._socket = self._open()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host_header}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None or method in {"POST", "PUT", "PATCH"}:
            lines.append(f"Content-Length: {len(body or b'')}")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            raise PimError("unexpected", "a line break in a request header or address")
        try:
            self._socket.sendall((head + "\r\n\r\n").encode("latin-1") + (body or b""))
        except (BrokenPipeError, ConnectionResetError):
            raise StaleError from None

    def _answer(self, method: str) -> Response:
        response, keep = self._read(method)
        if not keep:
            self.close()
        return response

    # -- opening -------------------------------------------------------------------------------

    def _open(self) -> socket.socket:
        proxy = _proxy_for(self.host) if self.scheme == "https" else ""
        host, port = self.host, self.port
        if proxy:
            _, host, port, _ = split_url(proxy if "://" in proxy else "http://" + proxy)
        # As bytes, because a text would have the IDNA codec imported, here and for TLS.
        patience = min(self.timeout, _CONNECT)
        plain = socket.create_connection((_encoded(host), port), patience)  # type: ignore[arg-type]
        try:
            plain.settimeout(self.timeout)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if proxy:
                self._tunnel(plain)
            if self.scheme != "https":
                return plain
            return self._tls().wrap_socket(plain, server_hostname=_encoded(self.host))
        except BaseException:
            plain.close()
            raise

    def _tunnel(self, plain: socket.socket) -> None:
        target = f"{self.host}:{self.port}"
        plain.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("latin-1"))
        answer = b""
        while b"\r\n\r\n" not in answer:
            chunk = plain.recv(4096)
            if not chunk or len(answer) > MAX_HEAD:
                raise self._fault("is behind a proxy that does not answer")
            answer += chunk
        if answer.split(b" ", 2)[1:2] != [b"200"]:
            raise self._fault("is behind a proxy that refuses the connection")

    def _tls(self) -> ssl.SSLContext:
        known = self._trust.get(self.ca_file)
        if known is not None:
            return known
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca_file:
            try:
                context.load_verify_locations(cafile=self.ca_file)
            except (OSError, ssl.SSLError) as error:
                text = f"the certificate authority file {self.ca_file} cannot be used: {error}"
                raise PimError("server", text, "name the right one: pim login --ca FILE") from None
        else:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        self._trust[self.ca_file] = context
        return context

    # -- reading -------------------------------------------------------------------------------

    def _receive(self, most: int) -> bytes:
        if self._socket is None:
            raise ValueError("the connection is closed")
        return self._socket.recv(most)

    def _fill(self) -> bool:
        chunk = self._receive(65536)
        self._buffer += chunk
        return bool(chunk)

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD or not self._fill():
                raise ValueError("the answer broke off")
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _take(self, count: int) -> bytes:
        parts = [self._buffer[:count]]
        self._buffer = self._buffer[count:]
        missing = count - len(parts[0])
        while missing:
            chunk = self._receive(min(missing, 262144))
            if not chunk:
                raise ValueError("the answer broke off")
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)

    def _head(self) -> tuple[int, dict[str, str]]:
        try:
            while b"\r\n\r\n" not in self._buffer:
                if len(self._buffer) > MAX_HEAD:
                    raise ValueError("the head of the answer is too long")
                if not self._fill():
                    if self._buffer:
                        raise ValueError("the answer broke off")
                    raise StaleError
        except ConnectionResetError:
            raise StaleError from None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if version not in {"HTTP/1.1", "HTTP/1.0"} or not rest[:3].isdigit():
            raise ValueError("the answer is not HTTP")
        headers: dict[str, str] = {"": version}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():
                raise ValueError("the answer has a malformed header")
            key = name.lower()
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
        return int(rest[:3]), headers

    def _read(self, method: str) -> tuple[Response, bool]:
        status, headers = self._head()
        while 100 <= status < 200:
            status, headers = self._head()
        version = headers.pop("")
        keep = version == "HTTP/1.1" and "close" not in headers.get("connection", "").lower()
        coding = headers.get("transfer-encoding", "").lower()
        if method == "HEAD" or status in {204, 304}:
            body = b""
        elif coding:
            if coding != "chunked":
                raise ValueError(f"the answer has the unknown transfer coding {coding[:40]!r}")
            body = self._chunked()
        elif "content-length" in headers:
            length = headers["content-length"]
            if not length.isdigit():
                raise ValueError("the answer has a malformed length")
            body = self._take(self._bounded(int(length)))
        else:
            keep = False
            while self._bounded(len(self._buffer)) <= MAX_BODY and self._fill():
                pass
            body, self._buffer = self._buffer, b""
        return Response(status, headers, body), keep

    def _chunked(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while True:
            digits = self._line().partition(b";")[0].strip().decode("latin-1")
            if not digits or digits.strip("0123456789abcdefABCDEF") or len(digits) > 8:
                raise ValueError("the answer has a malformed chunk")
            size = int(digits, 16)
            if size == 0:
                break
            total = self._bounded(total + size)
            parts.append(self._take(size))
            if self._line():
                raise ValueError("the answer has a malformed chunk")
        while self._line():
            pass
        return b"".join(parts)

    def _bounded(self, length: int) -> int:
        if length > MAX_BODY:
            raise ValueError(f"the answer is larger than {MAX_BODY // 1024 // 1024} MiB")
        return length

    # -- faults --------------------------------------------------------------------------------

    def _fault(self, what: str) -> PimError:
        return PimError(
            "server", f"{self.scheme}://{self._host_header} {what}", "see what is wrong: pim doctor"
        )

    def _from_os(self, error: Exception) -> PimError:
        origin = f"{self.scheme}://{self._host_header}"
        if isinstance(error, TimeoutError):
            return self._fault("did not answer in time")
        if isinstance(error, ConnectionRefusedError):
            hint = "start the server (make run, or pim serve), or choose another: pim login --server URL"
            return PimError("server", f"nothing answers at {origin}", hint)
        if isinstance(error, socket.gaierror):
            return PimError(
                "server", f"the name {self.host} is not known", "check the address: pim profile show"
            )
        if type(error).__name__ == "SSLCertVerificationError":
            why = getattr(error, "verify_message", "") or str(error)
            hint = "name the authority that signed it: pim login --ca FILE (OpenPIM prints the file when it starts)"
            return PimError("server", f"the certificate of {origin} is not trusted: {why}", hint)
        return self._fault(f"cannot be talked to: {error}")


def _ended(connection: socket.socket) -> bool:
    """Whether an idle connection has something to read: only its end can come unasked."""
    import select

    return bool(select.select([connection], [], [], 0)[0])
