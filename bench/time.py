#!/usr/bin/env python3
"""Times whole processes: reads {"rounds": N, "cases": [{"argv", "env", "cwd"}]} on its standard input and prints, for each
case, one [wall ms, CPU ms, maximum resident KiB] per round. The cases of a round run one after another, in another order
each time, and each comparison is made within a round, so that what else the machine does hits all of them alike, and
what one leaves in the processor's caches for the next. Each process gets
/dev/null as its standard streams and no other descriptor; CPU time is what wait4(2) tells of it and its children."""
import json
import os
import random
import sys
import time

task = json.load(sys.stdin)
null = os.open("/dev/null", os.O_RDWR)
streams = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
os.closerange(null + 1, 1024)


def run(case):
    os.chdir(case["cwd"])
    start = time.perf_counter()
    pid = os.posix_spawn(case["argv"][0], case["argv"], case["env"], file_actions=streams)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{case['argv']} ended with status {os.waitstatus_to_exitcode(status)}")
    return [wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss]


for case in task["cases"]:
    run(case)  # the first run reads the files from the disk
results = [[] for _ in task["cases"]]
order = list(zip(task["cases"], results))
for _ in range(task["rounds"]):
    random.shuffle(order)
    for case, result in order:
        result.append(run(case))
json.dump(results, sys.stdout)
