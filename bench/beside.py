#!/usr/bin/env python3
"""Measures wrappers that stay beside their program: reads {"rounds": N, "cases": [{"argv", "env", "cwd"}]}, where argv is a
prefix, and prints for each case {"signal": [µs…], "end": [µs…], "resident": KiB, "maximum": KiB}.

signal: from kill(2) on the wrapper to the program's answer to that signal.
end:    from the program's last output, written just before it exits, to the wrapper's own end as its parent sees it.
"""
import json
import os
import signal
import subprocess
import sys
import time

PROGRAM = (
    "import os, signal\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})\n"
    "os.write(1, b'.')\n"
    "while signal.sigwait({signal.SIGUSR1, signal.SIGUSR2}) == signal.SIGUSR1: os.write(1, b'.')\n"
    "os.write(1, b'.')\n"
    "os._exit(0)\n"
)
task = json.load(sys.stdin)


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    return int(fields["VmRSS"].split()[0]), int(fields["VmHWM"].split()[0])


def measure(case, signals):
    child = subprocess.Popen(
        [*case["argv"], sys.executable, "-S", "-c", PROGRAM],
        env=case["env"], cwd=case["cwd"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )
    read = child.stdout.fileno()
    os.read(read, 1)
    latencies = []
    for _ in range(signals):
        start = time.perf_counter()
        child.send_signal(signal.SIGUSR1)
        os.read(read, 1)
        latencies.append((time.perf_counter() - start) * 1e6)
    resident, maximum = memory(child.pid)
    child.send_signal(signal.SIGUSR2)
    os.read(read, 1)
    start = time.perf_counter()
    status = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
    end = (time.perf_counter() - start) * 1e6
    child.returncode = status
    child.stdout.close()
    if status != 0:
        sys.exit(f"{case['argv']} ended with status {status}")
    return latencies, end, resident, maximum


results = [{"signal": [], "end": [], "resident": [], "maximum": []} for _ in task["cases"]]
for _ in range(task["rounds"]):
    for case, result in zip(task["cases"], results):
        latencies, end, resident, maximum = measure(case, 10)
        result["signal"] += latencies
        result["end"].append(end)
        result["resident"].append(resident)
        result["maximum"].append(maximum)
json.dump(results, sys.stdout)
