"""Rules of `huigong verify` over the texts beside public entries: they are those that were hashed, and things are called so today."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from market.oversight.finding import Audit, Finding
from market.record.entries import commit


def check_texts(connection: Connection) -> Iterator[Finding]:
    """Every kept text opens the hash in its entry; none is missing that was not removed, and none stands beside an entry without a hash."""
    rows = connection.execute(
        text("""
        SELECT e.public_id, said.hash, t.entry_id IS NOT NULL AS is_there, t.removed_at, t.salt, t.document
        FROM entry e LEFT JOIN entry_text t ON t.entry_id = e.id
        CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::jsonb ->> 'text' AS hash) AS said
        WHERE e.type IN ('merchant', 'offer', 'budget', 'post') AND (said.hash IS NOT NULL OR t.entry_id IS NOT NULL)
        UNION ALL
        SELECT e.public_id, NULL, true, t.removed_at, t.salt, t.document
        FROM entry_text t JOIN entry e ON e.id = t.entry_id WHERE e.type NOT IN ('merchant', 'offer', 'budget', 'post')
        ORDER BY 1
        """)
    )
    for public_id, told, is_there, removed_at, salt, document in rows:
        if told is None:
            problem = "a text stands beside it, and it holds no hash of one"
        elif not is_there:
            problem = "the text beside it is gone, and nobody removed it"
        elif removed_at is None and commit(salt, document.encode()) != told:
            problem = "the text beside it is not the one that was hashed"
        else:
            continue
        yield Finding("texts", f"entry {public_id}", problem)


def check_names(connection: Connection) -> Iterator[Finding]:
    """Merchants, offers and budgets are called today as the newest text beside their entries says; texts that were removed say nothing."""
    for subject in connection.execute(text(_RENAMED)).scalars():
        yield Finding("names", subject, "it is called otherwise than the text beside its entry says")


_RENAMED = """
WITH said AS (
  SELECT e.id, e.merchant, e.type, convert_from(e.body, 'UTF8')::jsonb ->> 'budget' AS budget, t.document::jsonb AS text
  FROM entry_text t JOIN entry e ON e.id = t.entry_id WHERE e.type IN ('merchant', 'budget', 'offer'))
SELECT 'merchant ' || m.code FROM merchant m
JOIN (SELECT DISTINCT ON (merchant) merchant, text FROM said WHERE type = 'merchant' ORDER BY merchant, id DESC) AS newest
  ON newest.merchant = m.code
WHERE newest.text <> jsonb_build_object('name', m.name, 'credit_code', m.credit_code)
UNION ALL
SELECT 'budget ' || b.code FROM budget b JOIN said ON said.type = 'budget' AND said.budget = b.code
WHERE said.text <> jsonb_build_object('title', b.title)
UNION ALL
SELECT 'offer ' || v.offer || ' version ' || v.version FROM offer_version v JOIN said ON said.id = v.entry_id
WHERE said.text <> jsonb_build_object('title', v.title, 'title_en', v.title_en, 'note', v.note)
ORDER BY 1
"""

TEXT_AUDITS: tuple[Audit, ...] = (check_texts, check_names)
