"""Rules of `huigong verify` over the public record: what happened is published, and what has a place in the log is what stands there."""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, text

from market.kit.canonical import canonical_json
from market.oversight.counting import TENDERS
from market.oversight.finding import Audit, Finding
from market.record.entries import AMOUNTS, commit
from market.record.log.checkpoints import read_checkpoint
from market.record.log.errors import MalformedError, NotProvedError
from market.record.policy import Policy, parse_policy


def check_places(connection: Connection) -> Iterator[Finding]:
    """Places are given without gaps from 0 on, as many as the log says."""
    size, placed, last = connection.execute(
        text("""
        SELECT coalesce((SELECT size FROM log_state), 0), count(leaf_index), coalesce(max(leaf_index) + 1, 0) FROM entry
        """)
    ).one()
    if not size == placed == last:
        yield Finding("log", "places", f"the log has {size} places, {placed} entries have one, the last is {last - 1}")


def check_leaves(connection: Connection) -> Iterator[Finding]:
    """The hash in the lowest tile is that of the entry's bytes, for every entry that has a place."""
    rows = connection.execute(
        text("""
        SELECT e.public_id, e.leaf_index FROM entry e
        LEFT JOIN log_tile t ON t.level = 0 AND t.index = e.leaf_index / 256
        WHERE e.leaf_index IS NOT NULL
          AND substring(t.hashes FROM (e.leaf_index % 256)::integer * 32 + 1 FOR 32)
              IS DISTINCT FROM sha256('\\x00'::bytea || e.body)
        ORDER BY e.leaf_index
        """)
    )
    for public_id, place in rows:
        yield Finding("log", f"entry {public_id}", f"its bytes are not those that the log holds at place {place}")


def check_checkpoints(connection: Connection) -> Iterator[Finding]:
    """Every checkpoint that was ever signed is kept as it was: one of the log's keys signed it, and it says its own size and root."""
    policies = connection.execute(text("SELECT body FROM entry WHERE type = 'policy'")).scalars()
    keys = list({policy.log for policy in map(_read_policy, policies) if policy is not None})
    for size, root, note in connection.execute(text("SELECT size, root, note FROM log_checkpoint ORDER BY size")):
        try:
            signed = read_checkpoint(note, keys=keys).checkpoint
            problem = "" if (signed.size, signed.root) == (size, bytes(root)) else "it says another size or root"
        except (MalformedError, NotProvedError) as error:
            problem = str(error)
        if problem:
            yield Finding("log", f"checkpoint {size}", f"it is not as it was signed: {problem}")


def _read_policy(body: bytes) -> Policy | None:
    try:
        return parse_policy(body)
    except MalformedError:
        return None  # `check_leaves` and the audit name the entry


def check_grants_have_entries(connection: Connection) -> Iterator[Finding]:
    """Every grant to a budget is published as it was, and nothing is published as a grant that was none."""
    rows = connection.execute(
        text("""
        WITH told AS (
          SELECT body->>'budget' AS budget, (move->>2)::bigint AS fen, body->>'day' AS day, count(*) AS times
          FROM (SELECT convert_from(body, 'UTF8')::jsonb AS body FROM entry WHERE type = 'budget') AS e,
               jsonb_array_elements(body->'transfers') AS move
          WHERE move->>0 = 'union:fund' AND move->>1 = 'budget:' || (body->>'budget') GROUP BY 1, 2, 3),
        done AS (
          SELECT g.budget, g.amount_fen AS fen, t.day::text AS day, count(*) AS times
          FROM budget_grant g JOIN transfer t ON t.event = 'grant' AND t.event_id = g.id GROUP BY 1, 2, 3)
        SELECT coalesce(done.budget, told.budget), coalesce(done.day, told.day), coalesce(done.fen, told.fen),
               coalesce(done.times, 0), coalesce(told.times, 0)
        FROM done FULL JOIN told USING (budget, fen, day) WHERE done.times IS DISTINCT FROM told.times
        """)
    )
    for budget, day, fen, done, told in rows:
        yield Finding("grants", f"budget {budget}", f"{fen} fen on {day}: granted {done} times, published {told} times")


def check_openings_are_published(connection: Connection) -> Iterator[Finding]:
    """Every approved details export is published as it was approved, and nothing is published as one that was not."""
    rows = connection.execute(
        text("""
        WITH told AS (
          SELECT id, public_id, convert_from(body, 'UTF8')::jsonb AS body FROM entry WHERE type = 'access')
        SELECT told.public_id, r.id FROM told FULL JOIN
          (SELECT * FROM details_request WHERE entry_id IS NOT NULL) AS r ON r.entry_id = told.id
        WHERE (told.body->>'kind' = 'details' OR told.id IS NULL)
          AND (told.body->>'entries', told.body->>'reason', told.body->>'first_day', told.body->>'last_day')
            IS DISTINCT FROM (r.sales_count::text, r.reason, r.first_on::text, r.last_on::text)
        """)
    )
    for public_id, request in rows:
        yield Finding("openings", f"entry {public_id}", f"it is not what was approved: request {request}")


def check_audiences(connection: Connection) -> Iterator[Finding]:
    """An offer that is published without its audience has a commitment to it, and one that is published with it has none."""
    rows = connection.execute(
        text("""
        SELECT v.offer, v.version, v.terms -> 'audience' AS audience, v.audience_salt AS salt,
               convert_from(e.body, 'UTF8')::jsonb ->> 'audience' AS told
        FROM offer_version v JOIN entry e ON e.id = v.entry_id
        WHERE v.audience_salt IS NOT NULL OR convert_from(e.body, 'UTF8')::jsonb ? 'audience' ORDER BY v.offer, v.version
        """)
    )
    for offer, version, audience, salt, told in rows:
        if salt is None or told != commit(salt, canonical_json(audience)):
            yield Finding(
                "audiences", f"offer {offer} version {version}", "its audience does not open what was published"
            )


def check_erasures(connection: Connection) -> Iterator[Finding]:
    """Who was erased is nowhere known any more, nobody else's rows were blanked, and the public counts are those of the register."""
    rows = connection.execute(
        text("""
        WITH erased AS (SELECT subject FROM erasure WHERE state = 'done')
        SELECT 'person ' || subject, 'erased, and yet in the register' FROM erased JOIN member USING (subject)
        UNION ALL SELECT 'person ' || subject, 'erased, and yet with a key' FROM erased JOIN vault.person_key USING (subject)
        UNION ALL SELECT 'person ' || subject, 'in the register, and without a key' FROM member
          WHERE subject NOT IN (SELECT subject FROM vault.person_key)
        UNION ALL SELECT 'sale ' || public_id, 'of somebody erased, and yet with a card' FROM sale JOIN erased USING (subject)
          WHERE card_id IS NOT NULL
        UNION ALL SELECT 'order ' || number, 'of somebody erased, and yet with a card' FROM member_order JOIN erased USING (subject)
          WHERE card_id IS NOT NULL
        UNION ALL SELECT 'sale ' || public_id, 'without a card, and its buyer was not erased' FROM sale
          WHERE card_id IS NULL AND subject NOT IN (SELECT subject FROM erased)
        UNION ALL SELECT 'order ' || number, 'without a card, and its buyer was not erased' FROM member_order
          WHERE card_id IS NULL AND subject NOT IN (SELECT subject FROM erased)
        UNION ALL SELECT 'entry ' || e.public_id, 'counts ' || (convert_from(e.body, 'UTF8')::jsonb ->> 'persons')
          || ' erasures, the register has ' || (SELECT count(*) FROM erasure x WHERE x.entry_id = e.id)
          FROM entry e WHERE e.type = 'erasure' AND (convert_from(e.body, 'UTF8')::jsonb ->> 'persons')::bigint
            <> (SELECT count(*) FROM erasure x WHERE x.entry_id = e.id)
        """)
    )
    for subject, problem in rows:
        yield Finding("erasures", subject, problem)


def check_search(connection: Connection) -> Iterator[Finding]:
    """What is searched is what the entries say: every one up to a place, its amounts, its transfers, their accounts and balances."""
    count, last = connection.execute(text("SELECT count(*), coalesce(max(leaf_index) + 1, 0) FROM entry_index")).one()
    if count != last:
        yield Finding("search", "entries", f"{count} of the first {last} entries can be found")
    for public_id, what in connection.execute(text(_UNTRUE)):
        yield Finding("search", f"entry {public_id}", f"its {what} are not what its bytes say")
    for account, place in connection.execute(text(_UNEVEN)):
        yield Finding("search", f"account {account}", f"the balance at place {place} is not the sum of its movements")
    for account, listed, moved in connection.execute(text(_UNLISTED)):
        said = "not listed" if listed is None else f"listed from place {listed} on"
        yield Finding("search", f"account {account}", f"it is {said}, and first moved at {moved}")


_READ = "convert_from(e.body, 'UTF8')::jsonb"
_UNTRUE = f"""
SELECT e.public_id, 'amounts' FROM entry_index i JOIN entry e ON e.leaf_index = i.leaf_index CROSS JOIN LATERAL (SELECT {_READ} AS said) AS b
WHERE (i.type, i.merchant, i.day) IS DISTINCT FROM (e.type, e.merchant, e.day)
  OR i.list_fen::text <> said->>'list' OR i.concession_fen::text <> said->>'concession' OR i.subsidy_fen::text <> said->>'subsidy'
  OR i.paid_fen::text <> said->>'paid' OR i.rebate_member_fen::text <> said->>'rebate_member'
  OR i.rebate_union_fen::text <> said->>'rebate_union'
  OR (e.type IN ('sale', 'void', 'refund') AND i.list_fen IS NULL AND jsonb_typeof(said->'list') = 'number')
UNION
SELECT e.public_id, 'transfers' FROM account_movement m JOIN entry e ON e.leaf_index = m.leaf_index
WHERE position(
  CASE WHEN m.fen < 0 THEN jsonb_build_array(m.account, m.other, -m.fen) ELSE jsonb_build_array(m.other, m.account, m.fen) END::text
  IN ({_READ}->'transfers')::text) = 0
ORDER BY 1, 2
"""  # noqa: S608  our own constants
_UNEVEN = """
SELECT account, min(leaf_index) FROM (
  SELECT account, leaf_index, balance_fen, sum(fen) OVER (PARTITION BY account ORDER BY leaf_index, number) AS held FROM account_movement
) AS moved WHERE balance_fen <> held GROUP BY account ORDER BY account
"""


_UNLISTED = """
SELECT account, listed.first_leaf, moved.first_leaf FROM public_account AS listed
FULL JOIN (SELECT account, min(leaf_index) AS first_leaf FROM account_movement GROUP BY account) AS moved USING (account)
WHERE listed.first_leaf IS DISTINCT FROM moved.first_leaf OR listed.kind IS DISTINCT FROM split_part(account, ':', 1) ORDER BY account
"""


def check_posts(connection: Connection) -> Iterator[Finding]:
    """Whoever holds a post was appointed in public, and whoever does not any more ended: as many at each unit."""
    rows = connection.execute(
        text("""
        SELECT post, unit, coalesce(held.posts, 0), coalesce(told.posts, 0)
        FROM (
          SELECT r.role AS post, coalesce(u.code, '') AS unit, count(*) AS posts FROM account_role r
          JOIN account a ON a.id = r.account_id LEFT JOIN unit u ON u.id = r.unit_id
          WHERE r.role IN ('officer', 'auditor') AND a.disabled_at IS NULL GROUP BY 1, 2) AS held
        FULL JOIN (
          SELECT body->>'post' AS post, coalesce(body->>'unit', '') AS unit,
            sum(CASE body->>'action' WHEN 'appointed' THEN 1 ELSE -1 END) AS posts
          FROM (SELECT convert_from(body, 'UTF8')::jsonb AS body FROM entry WHERE type = 'post') AS e GROUP BY 1, 2) AS told
        USING (post, unit) WHERE coalesce(held.posts, 0) <> coalesce(told.posts, 0) ORDER BY post, unit
        """)
    )
    for post, unit, held, told in rows:
        yield Finding("posts", f"{post} {unit}".strip(), f"{held} hold it, {told} are appointed in public")


def check_unmade(connection: Connection) -> Iterator[Finding]:
    """Nothing waits that the log was to say and that could not be made; it is tried again until then."""
    rows = connection.execute(
        text("SELECT kind, subject, since, times, problem FROM unmade_entry ORDER BY since, kind, subject")
    )
    for kind, subject, since, times, problem in rows:
        said = f"it could not be made since {since.isoformat(timespec='seconds')}, tried {times} times: {problem}"
        yield Finding("unmade", f"{kind} {subject}", said)


def check_totals(connection: Connection) -> Iterator[Finding]:
    """Public sums are those of the published entries up to a place, and none that no signed checkpoint covers."""
    size, signed = connection.execute(
        text("SELECT coalesce((SELECT size FROM total_state), 0), coalesce((SELECT max(size) FROM log_checkpoint), 0)")
    ).one()
    if size > signed:
        yield Finding("totals", "entries", f"{size} are counted in public sums, and {signed} are published")
    for subject in connection.execute(text(_MISCOUNTED)).scalars():
        yield Finding("totals", subject, "its public sums are not those of the published entries")


def _told(name: str) -> str:
    return f"coalesce((said->>'{name}')::bigint, 0)"


_COUNTED = {
    "sold_count": f"CASE WHEN sign < 0 THEN 0 WHEN type = 'batch' THEN {_told('count')} ELSE 1 END",
    "voided_count": "(type = 'void')::integer",
    **{f"{name}_fen": f"sign * {_told(name)}" for name in AMOUNTS},
    **{
        f"paid_{tender}_fen": f"CASE tender WHEN '{tender}' THEN sign * {_told('paid')} ELSE 0 END"
        for tender in TENDERS
    },
    "given_fen": " + ".join(
        f"(sign > 0)::integer * {_told(name)}" for name in ("concession", "rebate_member", "rebate_union")
    ),
    "other_fen": f"(sign > 0)::integer * {_told('other_offers')}",
}
_OFFERED = {
    "sales_count": "count(DISTINCT leaf_index) FILTER (WHERE type <> 'batch')",
    "batches_count": "count(DISTINCT leaf_index) FILTER (WHERE type = 'batch')",
    "borne_fen": "sum((one->>2)::bigint)",
}


def _name(figures: Mapping[str, str]) -> str:
    return ", ".join(f"{how} AS {name}" for name, how in figures.items())


def _compare(subject: str, table: str, key: str, figures: Iterable[str], told: str) -> str:
    """The `subject` of every row of a table of totals that is not what the entries told, or that is on one side only."""
    differ = " OR ".join(f"told.{name} IS DISTINCT FROM kept.{name}" for name in figures)
    return f"SELECT {subject} AS subject FROM ({told}) AS told FULL JOIN {table} AS kept USING ({key}) WHERE {differ}"  # noqa: S608  our own words


_SUMMED = _name({name: f"sum({name})" for name in _COUNTED})
_MONTH = "date_trunc('month', day)::date AS month"
_MISCOUNTED = f"""
WITH parsed AS (
  SELECT leaf_index, said, said->>'type' AS type, (said->>'day')::date AS day, said->>'merchant' AS merchant,
    CASE WHEN said->>'type' = 'sale' OR said->>'of' = 'sale' THEN 1 ELSE -1 END AS sign,
    CASE said->>'type' WHEN 'sale' THEN said->>'tender' WHEN 'batch' THEN '' ELSE (
      SELECT convert_from(sold.body, 'UTF8')::jsonb->>'tender' FROM entry sold
      WHERE sold.public_id = said->>'of' AND sold.type = 'sale' AND sold.leaf_index < e.leaf_index) END AS tender
  FROM entry e CROSS JOIN LATERAL (SELECT {_READ} AS said OFFSET 0) AS b
  WHERE e.leaf_index < (SELECT size FROM total_state) AND e.type IN ('sale', 'void', 'refund', 'batch') AND said->>'merchant' <> ''
  OFFSET 0
), read AS MATERIALIZED (
  SELECT leaf_index, type, day, merchant, CASE WHEN sign > 0 THEN said->'offers' END AS offers, {
    _name(_COUNTED)
} FROM parsed
)
{_compare("'day ' || day", "day_total", "day", _COUNTED, f"SELECT day, {_SUMMED} FROM read GROUP BY day")}
UNION ALL {
    _compare(
        "'month ' || to_char(month, 'YYYY-MM') || ' of ' || merchant",
        "month_total",
        "month, merchant",
        _COUNTED,
        f"SELECT {_MONTH}, merchant, {_SUMMED} FROM read GROUP BY month, merchant",
    )
}
UNION ALL {
    _compare(
        "'month ' || to_char(month, 'YYYY-MM') || ', offer ' || offer || ' version ' || version",
        "offer_total",
        "month, offer, version",
        _OFFERED,
        f"SELECT {_MONTH}, one->>0 AS offer, (one->>1)::bigint AS version, {_name(_OFFERED)}"
        " FROM read CROSS JOIN LATERAL jsonb_array_elements(offers) AS one GROUP BY 1, 2, 3",
    )
}
ORDER BY subject
"""  # noqa: S608  our own words

RECORD_AUDITS: tuple[Audit, ...] = (
    check_places,
    check_leaves,
    check_checkpoints,
    check_grants_have_entries,
    check_erasures,
    check_search,
    check_totals,
    check_openings_are_published,
    check_audiences,
    check_posts,
    check_unmade,
)
