"""Reads its configuration from the environment and nothing else. Start it with: sophia-run -- python3 app.py"""

import os
from wsgiref.simple_server import make_server

QDRANT_URL = os.environ["QDRANT_URL"]


def app(_environment, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"Qdrant is at {QDRANT_URL}\n".encode()]


if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), app) as server:
        print(f"serving on port {server.server_port}", flush=True)
        server.serve_forever()
