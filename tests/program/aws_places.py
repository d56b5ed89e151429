# SPDX-License-Identifier: Apache-2.0
"""What gives keys at AWS (a container, the metadata service, the token service) cannot be had here;
`aws_places` plays all three, and hands out the real S3 server's keys. No server lets its keys expire
on demand either: `front` says so where a test wants it, and is the real server otherwise."""

import contextlib
import datetime
import http.client
import http.server
import json
import threading
import urllib.parse

from s3_harness import s3_test


class server:
    """A server on a thread of its own; `handler` makes the answer."""

    def __init__(self, test: s3_test, handler):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        test.addCleanup(self._server.server_close)
        test.addCleanup(self._server.shutdown)


class aws_places(server):
    """Gives keys in the way of a container, of the metadata service, and of the token service."""

    def __init__(self, test: s3_test, lives_for: int = 3600):
        self.asked = []  # what, in order
        lock = threading.Lock()
        places = self

        class handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, what: str, body: str, status: int = 200):
                with lock:
                    places.asked.append(what)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def keys(self) -> dict:
                now = datetime.datetime.now(datetime.timezone.utc)
                end = now + datetime.timedelta(seconds=lives_for)
                return {"AccessKeyId": test.access_key, "SecretAccessKey": test.secret_key,
                        "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}

            def do_PUT(self):
                self.answer("token", "a-metadata-token")

            def do_GET(self):
                roles = "/latest/meta-data/iam/security-credentials/"
                if self.path == "/container":
                    is_known = self.headers["Authorization"] == "a-container-token"
                    self.answer("container", json.dumps(self.keys()) if is_known else "",
                                200 if is_known else 403)
                elif self.headers["X-aws-ec2-metadata-token"] != "a-metadata-token":
                    self.answer("stranger", "", 401)
                elif self.path == roles:
                    self.answer("role", "the-role")
                else:
                    self.answer("instance", json.dumps(self.keys()))

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
                keys = "".join(f"<{k}>{v}</{k}>" for k, v in self.keys().items())
                shown = form.get("WebIdentityToken") or self.headers["Authorization"].split("/")[0]
                self.answer(f"{form['Action']} {form['RoleArn']} by {shown}",
                            f"<R><Credentials>{keys}</Credentials></R>")

            def log_message(self, *_):
                pass

        super().__init__(test, handler)


class front(server):
    """The S3 server behind an address of its own; `expired()`: whether it takes the keys for
    expired."""

    def __init__(self, test: s3_test, expired):
        refusal = b"<Error><Code>ExpiredToken</Code></Error>"

        class handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = (400, refusal) if expired() else self.passed_on(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def passed_on(self, body: bytes) -> tuple[int, bytes]:
                to = http.client.HTTPConnection(test.endpoint.removeprefix("http://"))
                with contextlib.closing(to):
                    to.putrequest("PUT", self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        to.putheader(name, value)
                    to.endheaders(body)
                    answer = to.getresponse()
                    return answer.status, answer.read()

            def log_message(self, *_):
                pass

        super().__init__(test, handler)
