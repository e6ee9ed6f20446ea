"""All cases, one module for each concern. A new module is one more name in this list."""

from __future__ import annotations

from harness.case import check_names

from . import (
    argv,
    attributes,
    descriptors,
    environment,
    grandchildren,
    inspector,
    ipc,
    jobcontrol,
    jobcontrol_program,
    limits,
    path_search,
    pid1,
    signals,
    signals_actions,
    signals_at_start,
    start_errors,
    status,
    stdio,
    terminal,
    terminal_hang_up,
    terminal_use,
)

ALL = [
    case
    for module in (
        argv,
        environment,
        status,
        start_errors,
        path_search,
        signals,
        signals_actions,
        signals_at_start,
        terminal,
        terminal_use,
        terminal_hang_up,
        jobcontrol,
        jobcontrol_program,
        descriptors,
        ipc,
        stdio,
        attributes,
        grandchildren,
        inspector,
        pid1,
        limits,
    )
    for case in module.registry.cases
]

check_names(ALL)
