"""Redeem in child processes that are killed at any moment. Run by test_kill.py: `python killed.py URL COUNT SEED` with a JSON list of
[staff, visit] pairs on standard input; prints how many were killed before they could finish.
"""

import json
import os
import random
import signal
import sys
import time
from datetime import datetime
from uuid import UUID

from api import till
from market.kit.database import connect


def main(url: str, seed: int, at: datetime, jobs: list[tuple[str, str]]) -> int:
    chance, killed, whole = random.Random(seed), 0, 0.0
    for number, (staff, visit) in enumerate(jobs):
        begun = time.monotonic()
        child = os.fork()
        if not child:
            connect(url)
            till.redeem_at_till(
                staff_id=UUID(staff),
                visit_id=UUID(visit),
                keyed=till.AmountsKeyed(1600, 200),
                key=f"kill:{number:06}",
                at=at,
            )
            os._exit(0)
        if number % 40:
            time.sleep(chance.uniform(0.3, 1.1) * whole)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        if not number % 40:  # one in forty runs to its end and says how long that takes just now
            whole = time.monotonic() - begun
    return killed


if __name__ == "__main__":
    sys.stdout.write(
        str(main(sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3]), json.load(sys.stdin)))
    )
