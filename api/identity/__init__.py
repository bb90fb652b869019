"""Who is at the door: accounts, roles, sign-in sessions, throttling, who looked at whom, and what kind of installation this is."""

from api.identity.accounts import (
    Role,
    create_account,
    disable_account,
    find_staff_sign_ins,
    get_account_id,
    grant_role,
    is_one_member,
    list_names,
    set_password,
)
from api.identity.installation import check_settings, find_kind, init_installation
from api.identity.looks import list_looks, note_look, prune_looks
from api.identity.passwords import LoginProvider, PasswordProvider
from api.identity.sessions import (
    NewSession,
    OpenSession,
    Principal,
    end_session,
    find_principal,
    list_sessions,
    open_session,
    prune_sessions,
    revoke_all_sessions,
    revoke_session,
)
from api.identity.sign_in import demo_sign_in, list_demo_people, sign_in
from api.identity.throttle import prune_throttle

__all__ = [
    "LoginProvider",
    "NewSession",
    "OpenSession",
    "PasswordProvider",
    "Principal",
    "Role",
    "check_settings",
    "create_account",
    "demo_sign_in",
    "disable_account",
    "end_session",
    "find_kind",
    "find_principal",
    "find_staff_sign_ins",
    "get_account_id",
    "grant_role",
    "init_installation",
    "is_one_member",
    "list_demo_people",
    "list_looks",
    "list_names",
    "list_sessions",
    "note_look",
    "open_session",
    "prune_looks",
    "prune_sessions",
    "prune_throttle",
    "revoke_all_sessions",
    "revoke_session",
    "set_password",
    "sign_in",
]
