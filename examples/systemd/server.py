"""A service that systemd starts on the first connection. It reports readiness, and needs neither ESC nor sophia-run."""

import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

QDRANT_URL = os.environ["QDRANT_URL"]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"Qdrant is at {QDRANT_URL}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


def notify(state: str) -> None:
    """sd_notify(3): one datagram. A name that begins with @ is an abstract socket's."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address == "":
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.send(state.encode())


def passed_socket() -> socket.socket:
    """sd_listen_fds(3): the first socket is descriptor 3, if LISTEN_PID is this process."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        sys.exit("start this service by its socket unit")
    return socket.socket(fileno=3)


def stop(*_: object) -> None:
    notify("STOPPING=1")
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
server = HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = passed_socket()
notify("READY=1")
server.serve_forever()
