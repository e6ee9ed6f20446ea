"""Starts a command as systemd starts a service of Type=notify with a socket unit, and prints the result as JSON.

Usage: systemd.py COMMAND...

The socket is descriptor 3 of the command, and a client has already connected. LISTEN_PID, LISTEN_FDS and NOTIFY_SOCKET are set in
the process that replaces itself by the command (sd_listen_fds(3), sd_notify(3)). Then SIGTERM ends the command.
"""

import json
import os
import signal
import socket
import struct
import sys
import tempfile

TIMEOUT_S = 30
CREDENTIALS = struct.Struct("3i")


def open_listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(TIMEOUT_S)
    return listener


def start(command: list[str], listener: socket.socket, notify_socket: str) -> int:
    pid = os.fork()
    if pid != 0:
        return pid
    os.dup2(listener.fileno(), 3)
    # If the listener already was descriptor 3, dup2 has not made it inheritable.
    os.set_inheritable(3, True)
    environment = {
        **os.environ,
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": "1",
        "NOTIFY_SOCKET": notify_socket,
    }
    os.execvpe(command[0], command, environment)


def receive_state(channel: socket.socket, pid: int) -> str:
    """Returns the next state, and whether the main process sent it. NotifyAccess=main ignores the states of other processes."""
    text, ancillary, _, _ = channel.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
    (sender, _, _) = CREDENTIALS.unpack(ancillary[0][2])
    return f"{text.decode()} from {'the main process' if sender == pid else 'another process'}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, open_listener() as listener:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(f"{folder}/notify")
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            channel.settimeout(TIMEOUT_S)
            client = socket.create_connection(listener.getsockname(), TIMEOUT_S)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            pid = start(sys.argv[1:], listener, channel.getsockname())
            states = [receive_state(channel, pid)]
            answer = b"".join(iter(lambda: client.recv(4096), b"")).decode()
            os.kill(pid, signal.SIGTERM)
            states.append(receive_state(channel, pid))
            _, status = os.waitpid(pid, 0)
    body = answer.partition("\r\n\r\n")[2]
    print(json.dumps({"states": states, "body": body, "end": os.waitstatus_to_exitcode(status)}))


main()
