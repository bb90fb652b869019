"""The doors: one file per group of addresses. Programs' busiest addresses come first, because routes are tried in order."""

from fastapi import APIRouter

from api.routes import (
    audit,
    desk,
    desk_drafts,
    desk_dry_runs,
    desk_offers,
    health,
    home,
    me,
    member_pages,
    member_receipts,
    merchant,
    merchant_offers,
    offers_api,
    record,
    record_offers,
    sign_in,
    till_api,
    till_pages,
    till_sales,
    webhooks,
)

DOORS: tuple[APIRouter, ...] = (
    till_api.doors,
    till_pages.doors,
    till_sales.doors,
    member_pages.doors,
    member_receipts.doors,
    merchant.doors,
    merchant_offers.doors,
    desk.doors,
    desk_drafts.doors,
    desk_dry_runs.doors,
    desk_offers.doors,
    audit.doors,
    record.doors,
    record_offers.doors,
    offers_api.doors,
    sign_in.doors,
    home.doors,
    me.doors,
    health.doors,
    webhooks.doors,
)
