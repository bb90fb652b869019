"""The doors: one file per group of addresses. Programs' busiest addresses come first, because routes are tried in order."""

from fastapi import APIRouter

from api.routes import (
    audit,
    desk,
    health,
    home,
    me,
    member_pages,
    member_receipts,
    merchant,
    record,
    sign_in,
    till_api,
    till_pages,
    till_sales,
)

DOORS: tuple[APIRouter, ...] = (
    till_api.doors,
    till_pages.doors,
    till_sales.doors,
    member_pages.doors,
    member_receipts.doors,
    merchant.doors,
    desk.doors,
    audit.doors,
    record.doors,
    sign_in.doors,
    home.doors,
    me.doors,
    health.doors,
)
