"""`python -m tests.mutations [WORD …]`: spoil the engine in every way of the list, one at a time, and see which test tells.

Each mutation is one replacement of text in a temporary copy of the engine; the quick tests run on it until the first failure.
Status 1 when a mutation survives, when its text is not found, or when the tests fail on the unspoilt engine. With words, only
the mutations whose name holds one of them.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mutations.mutations import MUTATIONS
from tests.mutations.trial import UNSPOILT, try_mutation

AT_ONCE = 2


def main(words):
    console = Console(width=170)
    chosen = [one for one in MUTATIONS if not words or any(word in one.name for word in words)]
    if not chosen:
        console.print("No mutation has such a name.")
        return 1
    table = Table("mutation", "in", "caught by", title="Mutations of the engine")
    missed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        trials = pool.map(try_mutation, [UNSPOILT, *chosen])
        for mutation, trial in track(
            zip([UNSPOILT, *chosen], trials, strict=True), "Trying", len(chosen) + 1, console=console
        ):
            is_well = trial.is_caught != (mutation is UNSPOILT)
            missed += not is_well
            table.add_row(mutation.name, mutation.path, trial.told if is_well else f"[red]{trial.told}")
    console.print(table)
    console.print(
        f"{len(chosen)} mutations, {missed} rows that are not as they should be"
        if missed
        else f"All {len(chosen)} are caught."
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
