"""Web, worker and sequencer with the folders of the record, each in a process of its own. Run by test_keys_apart.py: `apart.py USER PART [ID]`.

USER (`-` to stay who it is) is taken on once everything is imported: where the tests run as root, others may not be able to read the
interpreter. Prints, as JSON, what came of it and every file it opened below the folder of the log's key.
"""

import json
import os
import pwd
import sys

from starlette.testclient import TestClient

from api.app import create_app
from api.jobs import run_worker
from api.public_log import need_policy, read_log_key, renew_key, run_round, sequencer_home
from api.receipts import find_promise
from market.kit.clock import now
from market.kit.database import connect, disconnect, transaction
from market.kit.settings import get_settings
from market.record.publishing.keyring import KeyFileError

PAGES = ("/readyz", "/record/checkpoint", "/record/policy", "/record/entries.json")


def serve(public_id: str) -> dict[str, object]:
    """The web's files of the record and a promise, every job that is due; and then what a web that was taken over would try."""
    settings = get_settings()
    with TestClient(create_app(), base_url="http://testserver") as client:
        statuses = [client.get(page).status_code for page in PAGES]
        promised = find_promise(settings, public_id=public_id)
    connect(str(settings.database_url))
    run_worker(str(settings.database_url), wait=False)
    with transaction() as tx:
        policy = need_policy(tx)
    try:
        stolen = read_log_key(settings, policy).text
    except KeyFileError as error:
        stolen = str(error)
    return {"statuses": statuses, "promise": promised.note if promised else None, "stolen": stolen}


def sequence() -> dict[str, object]:
    """A new log key, and a round under it."""
    settings = get_settings()
    connect(str(settings.database_url))
    policy = renew_key(settings, which="log", at=now())
    signed = run_round(settings, at=now())
    assert signed is not None
    return {"log": policy.log.text, "signed": signed.checkpoint.size}


def become(user: str) -> None:
    found = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(found.pw_gid)
    os.setuid(found.pw_uid)


def main(user: str, part: str, *words: str) -> None:
    if user != "-":
        become(user)
    below, opened = str(sequencer_home(get_settings())), set[str]()

    def look(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(below):
            opened.add(str(arguments[0]))

    sys.addaudithook(look)
    done = {"serve": serve, "sequence": sequence}[part](*words)
    disconnect()
    sys.stdout.write(json.dumps({**done, "opened": sorted(opened)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
