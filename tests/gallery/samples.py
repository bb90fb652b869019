"""All samples. Made-up people, shops and amounts that add up, for looking at and for tests; never for the product."""

from tests.gallery.accounts import ACCOUNTS
from tests.gallery.audit import AUDIT
from tests.gallery.breakdowns import BREAKDOWN_PAGES
from tests.gallery.budgets import BUDGET_PAGES
from tests.gallery.check import RECORD_CHECK
from tests.gallery.desk import DESK
from tests.gallery.details import DETAILS
from tests.gallery.dry_run import DRY_RUNS
from tests.gallery.entries import RECORD_ENTRIES
from tests.gallery.erasure import ERASURES
from tests.gallery.frame import Sample
from tests.gallery.handout import HAND_OUT
from tests.gallery.member import MEMBER
from tests.gallery.offers import OFFERS
from tests.gallery.public import PUBLIC
from tests.gallery.publication import PUBLICATION
from tests.gallery.purchases import PURCHASE_DESK
from tests.gallery.record import RECORD
from tests.gallery.record_own import RECORD_OWN
from tests.gallery.record_sums import RECORD_SUMS
from tests.gallery.sandbox import SANDBOX
from tests.gallery.shop import SHOP
from tests.gallery.shopping import SHOPPING
from tests.gallery.stopped import STANDING_STILL
from tests.gallery.supplier import SUPPLIER
from tests.gallery.texts import TEXTS
from tests.gallery.till import TILL

SAMPLES: tuple[Sample, ...] = (
    *PUBLIC,
    *RECORD,
    *RECORD_OWN,
    *RECORD_ENTRIES,
    *RECORD_CHECK,
    *STANDING_STILL,
    *RECORD_SUMS,
    *BREAKDOWN_PAGES,
    *ACCOUNTS,
    *MEMBER,
    *TILL,
    *DESK,
    *BUDGET_PAGES,
    *AUDIT,
    *DRY_RUNS,
    *DETAILS,
    *OFFERS,
    *SHOP,
    *SHOPPING,
    *SANDBOX,
    *SUPPLIER,
    *HAND_OUT,
    *PURCHASE_DESK,
    *ERASURES,
    *PUBLICATION,
    *TEXTS,
)
