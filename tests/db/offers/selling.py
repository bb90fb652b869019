"""A till in a process of its own that sells until it is told to stop. Run by test_live.py: `python selling.py URL STAFF` with the ids of
visits on standard input, one a line; prints for each sale when it was priced and which offers applied, as one JSON list.
"""

import json
import sys
import time
from uuid import UUID

from api import till
from market.kit.clock import now
from market.kit.database import connect


def main(url: str, staff: UUID) -> None:
    connect(url)
    for line in sys.stdin:
        visit, at = UUID(line.strip()), now()
        sale = till.redeem_at_till(
            staff_id=staff, visit_id=visit, keyed=till.AmountsKeyed(3000, 0), key=str(visit), at=at
        )
        sys.stdout.write(json.dumps([at.isoformat(), sorted(row["offer"] for row in sale.quote["applied"])]) + "\n")
        sys.stdout.flush()
        time.sleep(0.015)


if __name__ == "__main__":
    main(sys.argv[1], UUID(sys.argv[2]))
