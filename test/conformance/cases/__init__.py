"""All cases, one module for each concern. A new module is one more name in this list."""

from __future__ import annotations

from . import (
    argv,
    attributes,
    descriptors,
    environment,
    grandchildren,
    inspector,
    ipc,
    jobcontrol,
    limits,
    path_search,
    pid1,
    signals,
    signals_at_start,
    start_errors,
    status,
    stdio,
    terminal,
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
        signals_at_start,
        terminal,
        jobcontrol,
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
