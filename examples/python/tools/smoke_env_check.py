"""The smoke check of the configuration: what ``sophia-run check`` says, and its exit status.

A replacement for a script that asked ESC itself; callers of ``python tools/smoke_env_check.py`` need not change.
"""

import subprocess
import sys


def main() -> int:
    try:
        return subprocess.run(["sophia-run", "check", *sys.argv[1:]]).returncode
    except FileNotFoundError:
        print("sophia-run is not installed: see the README", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main())
