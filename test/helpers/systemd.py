"""Starts a command as systemd starts a service of Type=notify that a socket unit activates, and prints what it saw as JSON.

systemd.py COMMAND...: the socket is descriptor 3 and somebody has connected already; LISTEN_PID, LISTEN_FDS and NOTIFY_SOCKET
are set in the process that becomes the command (sd_listen_fds(3), sd_notify(3)).
"""

import json
import os
import signal
import socket
import struct
import sys
import tempfile

PATIENCE_S = 30
CREDENTIALS = struct.Struct("3i")


def listening() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE_S)
    return listener


def started(command: list[str], listener: socket.socket, notify_socket: str) -> int:
    pid = os.fork()
    if pid != 0:
        return pid
    os.dup2(listener.fileno(), 3)
    # Where it was 3 before, dup2 changes nothing.
    os.set_inheritable(3, True)
    environment = {
        **os.environ,
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": "1",
        "NOTIFY_SOCKET": notify_socket,
    }
    os.execvpe(command[0], command, environment)


def told(channel: socket.socket, pid: int) -> str:
    """The next state, and whether the main process sent it: NotifyAccess=main drops it otherwise."""
    text, ancillary, _, _ = channel.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
    (sender, _, _) = CREDENTIALS.unpack(ancillary[0][2])
    return f"{text.decode()} from {'the main process' if sender == pid else 'another process'}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, listening() as listener:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(f"{folder}/notify")
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            channel.settimeout(PATIENCE_S)
            client = socket.create_connection(listener.getsockname(), PATIENCE_S)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            pid = started(sys.argv[1:], listener, channel.getsockname())
            states = [told(channel, pid)]
            answer = b"".join(iter(lambda: client.recv(4096), b"")).decode()
            os.kill(pid, signal.SIGTERM)
            states.append(told(channel, pid))
            _, status = os.waitpid(pid, 0)
    body = answer.partition("\r\n\r\n")[2]
    print(json.dumps({"states": states, "body": body, "end": os.waitstatus_to_exitcode(status)}))


main()
