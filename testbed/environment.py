# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the virtual environment of requirements.lock, whole or not at all. Runs on Debian's own Python alone."""

import fcntl
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def main() -> int:
    """Make the environment at the path that is named; return the exit status."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        # Two commands at a time are usual; the second finds what the first made.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return 0 if (target / ".complete").exists() else made(target)


def made(target: Path) -> int:
    """Make the environment anew; return the exit status."""
    began = time.monotonic()
    print("Making the virtual environment (about a minute)", flush=True)
    # Scripts in it name its path, so it is made in place, and what an earlier try left is removed.
    shutil.rmtree(target, ignore_errors=True)
    venv.create(target, with_pip=True, symlinks=True)
    command = [str(target / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", "requirements.lock"]
    done = subprocess.run(command, cwd=REPOSITORY, check=False)
    if done.returncode:
        print("pip failed; its messages are above. To repeat just this step: make venv", file=sys.stderr)
        return done.returncode
    (target / ".complete").touch()
    print(f"Virtual environment made in {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
