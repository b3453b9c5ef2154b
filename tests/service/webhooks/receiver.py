"""A receiver of webhooks on loopback that answers as a test says."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver:
    """Keeps (path, headers, body) of every request; `answers` are given in turn, the last again."""

    def __init__(self, answers=(204,), tls=None):
        self.got = []
        self.answers = list(answers)
        self.headers = {}
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                receiver.hold.wait(30)
                status = receiver.answers.pop(0) if len(receiver.answers) > 1 else 0
                self.send_response(status or receiver.answers[0])
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args):
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.hold.set()
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()
