"""A web server that names its host in a header only, and logs nothing."""

import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<p>Hello.</p>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Served-By", os.environ.get("HOSTNAME") or socket.gethostname())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
where = os.environ.get("HOST", ""), int(os.environ.get("PORT", "8000"))
ThreadingHTTPServer(where, Handler).serve_forever()
