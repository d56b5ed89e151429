# SPDX-License-Identifier: Apache-2.0
"""Stands before the real S3 server and answers in its place where a test wants it: no real server
asks for fewer requests, or refuses a body, on demand. All else goes through as it is, so that the
signature, which covers the Host header too, still holds."""

import http.client
import http.server
import threading

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


class s3_front:
    """`judge(request)` is called with each request, "PUT /bucket/key": None lets it through; a
    status, a code and headers are the answer."""

    def __init__(self, endpoint: str, judge):
        self.asked: list[str] = []
        lock, behind, asked = threading.Lock(), endpoint.removeprefix("http://"), self.asked

        class handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with lock:
                    asked.append(f"{self.command} {self.path}")
                    said = judge(asked[-1])
                if said is None:
                    return self.let_through(body)
                status, code, headers = said
                self.send(status, headers, f"<Error><Code>{code}</Code></Error>".encode())

            def let_through(self, body: bytes):
                server = http.client.HTTPConnection(behind)
                server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    server.putheader(name, value)
                server.endheaders(body)
                answer = server.getresponse()
                kept = {name: value for name, value in answer.getheaders()
                        if name.lower() not in HOP_BY_HOP | {"content-length"}}
                length = answer.getheader("Content-Length")
                self.send(answer.status, kept, answer.read(), length)
                server.close()

            def send(self, status: int, headers: dict[str, str], body: bytes, length=None):
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                is_head = self.command == "HEAD"
                self.send_header("Content-Length", length if is_head and length else str(len(body)))
                self.end_headers()
                if not is_head:
                    self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
