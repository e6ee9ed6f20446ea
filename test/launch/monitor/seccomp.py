"""Executes a command under a filter that refuses system calls: seccomp.py NAME[:ERROR]... -- COMMAND...

ERROR is the name of an error in errno(3), with which the system call fails. Without it the system call fails with EPERM.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"prctl": 157, "rt_sigqueueinfo": 129, "rt_sigtimedwait": 128, "ppoll": 271, "pidfd_open": 434, "memfd_create": 319}
    | {"eventfd2": 290, "getrandom": 318, "kill": 62, "getdents64": 217},
    "aarch64": {"prctl": 167, "rt_sigqueueinfo": 138, "rt_sigtimedwait": 137, "ppoll": 73, "pidfd_open": 434, "memfd_create": 279}
    | {"eventfd2": 19, "getrandom": 278, "kill": 129, "getdents64": 61},
}[platform.machine()]
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def main() -> None:
    end = sys.argv.index("--")
    steps = [(LOAD_NUMBER, 0, 0, 0)]
    for call in sys.argv[1:end]:
        name, _, error = call.partition(":")
        number = getattr(errno, error or "EPERM")
        steps += [(JUMP_IF_EQUAL, 0, 1, NUMBERS[name]), (RETURN, 0, 0, REFUSE | number)]
    steps.append((RETURN, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = Program(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])


main()
