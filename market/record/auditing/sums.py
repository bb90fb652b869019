"""The sums inside one entry: the four amounts, what the merchant bears by offer, and the transfers. Each looks at the entry alone."""

from collections.abc import Iterator
from typing import Final

from market.record.auditing.finding import AMOUNTS, Entry, Finding, is_return

MEMBERS: Final = "rebates:members"
UNION: Final = "rebates:union"


def check_amounts(entry: Entry) -> Iterator[Finding]:
    """`list = concession + subsidy + paid`, and no amount is negative."""
    said = entry.document
    if said["list"] != said["concession"] + said["subsidy"] + said["paid"]:
        yield entry.finding("amounts", "list", f"{said['list']} is not concession + subsidy + paid, {_sum(said)}.")
    for name in AMOUNTS:
        if said[name] < 0:
            yield entry.finding("amounts", name, f"{said[name]} is negative.")


def check_borne(entry: Entry) -> Iterator[Finding]:
    """What the offers of a sale, or of a batch of sales, list is what the merchant bears: the concession and both rebates.

    A batch says in one sum, `other_offers`, what it does not name.
    """
    if is_return(entry):
        return
    said = entry.document
    borne = said.get("other_offers", 0)
    if borne < 0:
        yield entry.finding("offers", "other_offers", f"{borne} is negative.")
    for offer, version, fen in said.get("offers", ()):
        borne += fen
        if fen < 1 or version < 1:
            yield entry.finding("offers", "offers", f"{offer} version {version} lists {fen}, which is not positive.")
    given = said["concession"] + said["rebate_member"] + said["rebate_union"]
    if borne != given:
        yield entry.finding("offers", "offers", f"Offers sum to {borne}, concession and rebates to {given}.")


def check_transfers(entry: Entry) -> Iterator[Finding]:
    """Every transfer is positive and between two accounts."""
    for debit, credit, fen in entry.document["transfers"]:
        if fen < 1:
            yield entry.finding("transfers", "transfers", f"{debit} to {credit}: {fen} is not positive.")
        if debit == credit:
            yield entry.finding("transfers", "transfers", f"{debit} pays itself.")


def check_booked(entry: Entry) -> Iterator[Finding]:
    """A purchase books its subsidy from the union's purses to the merchant, and its rebates from the merchant; a return the other way round."""
    said = entry.document
    merchant = said["merchant"]
    payable, receivable = f"payable:{merchant}", f"receivable:{merchant}"
    subsidy = rebate_member = rebate_union = 0
    goes_back = is_return(entry)
    for first, second, fen in said["transfers"]:
        debit, credit = (second, first) if goes_back else (first, second)
        if credit == payable and (debit.startswith("budget:") or debit == "allowances"):
            subsidy += fen
        elif debit == receivable and credit == MEMBERS:
            rebate_member += fen
        elif debit == receivable and credit == UNION:
            rebate_union += fen
        else:
            yield entry.finding("transfers", "transfers", f"{first} to {second} is no part of this {entry.type}.")
    for name, fen in (("subsidy", subsidy), ("rebate_member", rebate_member), ("rebate_union", rebate_union)):
        if fen != said[name]:
            yield entry.finding("transfers", name, f"{said[name]} is said, {fen} is booked.")


def check_budget(entry: Entry) -> Iterator[Finding]:
    """A grant moves money to its budget, and nothing else."""
    said = entry.document
    account = f"budget:{said['budget']}"
    moved = said.get("transfers", [])
    if (said["action"] == "granted") != bool(moved):
        yield entry.finding(
            "transfers", "transfers", f"An action {said['action']} does not go with {len(moved)} transfers."
        )
    for debit, credit, _ in moved:
        if credit != account:
            yield entry.finding("transfers", "transfers", f"{debit} to {credit} is no grant to {account}.")


def _sum(said: dict[str, int]) -> int:
    return said["concession"] + said["subsidy"] + said["paid"]
