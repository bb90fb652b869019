"""Who may benefit: organisation tree, members, service cards, codes and visits."""

from cards.classes import count_class
from cards.issuing import IssuedCode, issue_code
from cards.operations import (
    AddedMember,
    NewMember,
    add_member,
    add_members,
    add_unit,
    freeze_card,
    replace_card,
    report_lost,
    unfreeze_card,
)
from cards.people import surname
from cards.queries import (
    CardPage,
    FoundMember,
    UnitHeads,
    find_union_name,
    get_card_page,
    get_member,
    get_name,
    get_open_visit,
    get_subject,
    get_unit,
    get_unit_names,
    in_subtree,
    list_imports,
    list_units,
)
from cards.shoppers import find_shopper_for_member, get_shopper, lock_member
from cards.visits import OpenVisit, open_visit, prune_codes

__all__ = [
    "AddedMember",
    "CardPage",
    "FoundMember",
    "IssuedCode",
    "NewMember",
    "OpenVisit",
    "UnitHeads",
    "add_member",
    "add_members",
    "add_unit",
    "count_class",
    "find_shopper_for_member",
    "find_union_name",
    "freeze_card",
    "get_card_page",
    "get_member",
    "get_name",
    "get_open_visit",
    "get_shopper",
    "get_subject",
    "get_unit",
    "get_unit_names",
    "in_subtree",
    "issue_code",
    "list_imports",
    "list_units",
    "lock_member",
    "open_visit",
    "prune_codes",
    "replace_card",
    "report_lost",
    "surname",
    "unfreeze_card",
]
