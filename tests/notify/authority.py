"""A time-stamping authority on this machine: `openssl ts` behind a small HTTP server."""

from __future__ import annotations

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Some authority
[extensions]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = one
[one]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(*words: str, **more: Any) -> bytes:
    return subprocess.run(["openssl", *words], check=True, capture_output=True, **more).stdout


class Authority:
    """folder: where it keeps its key and files. spoil: what is done to an answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spoil: Any = lambda answer: answer
        self.status = 200
        self.asked = 0
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-config", str(folder / "tsa.cnf"),
            "-extensions", "extensions", "-keyout", str(folder / "tsa.key"), "-out", str(folder / "tsa.pem"),
        )  # fmt: skip
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                answer = outer.spoil(outer.answer(body))
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tsa"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: bytes) -> bytes:
        query, reply = self.folder / "asked.tsq", self.folder / "answer.tsr"
        query.write_bytes(request)
        openssl(
            "ts",
            "-reply",
            "-config",
            str(self.folder / "tsa.cnf"),
            "-queryfile",
            str(query),
            "-out",
            str(reply),
        )
        return reply.read_bytes()

    def verifies(self, stamp: bytes, data: bytes) -> bool:
        """As an auditor checks it."""
        (self.folder / "stamp.tsr").write_bytes(stamp)
        (self.folder / "data").write_bytes(data)
        done = subprocess.run(
            ["openssl", "ts", "-verify", "-data", str(self.folder / "data"), "-in", str(self.folder / "stamp.tsr"),
             "-CAfile", str(self.folder / "tsa.pem")],
            check=False, capture_output=True,
        )  # fmt: skip
        return done.returncode == 0

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
