"""`huigong sequencer` publishes the public record: it alone needs the log's secret key. One runs; a second one waits for the first."""

import time

import structlog

from api.commands.run import check_installation
from api.identity.installation import UnsafeSettingsError
from api.logs import configure_logs
from api.public_log import LogNotOpenError, need_policy, run_round
from api.witness import Watched
from market.kit.clock import now
from market.kit.database import connect, disconnect, transaction
from market.kit.errors import DomainError
from market.kit.settings import get_settings
from market.record.log.errors import MalformedError
from market.record.publishing.keyring import KeyFileError

ROUND_SECONDS = 1
TROUBLED_SECONDS = 30

log = structlog.get_logger("huigong.sequencer")


def sequencer() -> None:
    """Publish what waits, every second, until stopped. `huigong run` brings one; beside `huigong serve` start one, where the key is."""
    settings = get_settings()
    if settings.database_url is None:
        raise UnsafeSettingsError(
            "`huigong sequencer` needs HUIGONG_DATABASE_URL; `huigong run` brings its own database."
        )
    configure_logs(settings.log_format)
    check_installation(settings.database_url)
    connect(settings.database_url, pool_size=2)
    watched = Watched((settings.record_witnesses or "").split())
    try:
        while True:
            time.sleep(ROUND_SECONDS if _publish(watched) else TROUBLED_SECONDS)
    finally:
        disconnect()


def _publish(watched: Watched) -> bool:
    """One round; whether the log is in order. What is wrong is said in the operator's log, and tried again; sales go on.

    Witnesses are asked first about the checkpoint that stands: if one has seen more, nothing may be signed.
    """
    try:
        with transaction() as tx:
            policy = need_policy(tx)
        watched.ask(policy)
        signed = run_round(get_settings(), at=now())
        watched.ask(policy)
    except LogNotOpenError as error:
        log.warning("the public record is not open", problem=str(error))
        return False
    except (DomainError, KeyFileError, MalformedError) as error:
        log.error("the public record stands still", problem=str(error))  # noqa: TRY400  a sentence, not a fault of the program
        return False
    except Exception:  # a fault of the program, or the database is gone
        log.exception("a round of publication failed; it is tried again")
        return False
    if signed is not None:
        log.info("published", size=signed.checkpoint.size)
    return True
