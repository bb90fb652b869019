"""The sequencer's rounds with the witnesses asked, what is noted of each, and what people are told where publication stands still.

One place of texts: what a page says is the sentence of the refusal that the sequencer noted.
"""

from contextlib import suppress
from typing import Final

import structlog
from sqlalchemy.orm import Session

from api.pages.views.shared import Stopped
from api.public_log import LogNotOpenError, log_shelf, need_policy, run_round
from api.witness import Watched
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError
from market.kit.settings import Settings
from market.record.log.errors import MalformedError, MissingTileError
from market.record.publishing.keyring import KeyFileError
from market.record.publishing.sequencer import LogDamagedError, LogForkError, LogMemoryLostError
from market.record.publishing.served import find_policy
from market.record.publishing.standing import Standstill, find_standstill, note_done, note_refusal

log = structlog.get_logger("huigong.sequencer")


class LogKeyUnreadableError(ConflictError):
    """The key that signs is missing, damaged or open to others."""

    code = "LOG_KEY_UNREADABLE"
    zh = (
        "拒绝签名：签名的私钥用不了（{problem}）。把密钥文件放回原处，权限设为 600；确实丢了，就运行 huigong key rotate log 换一把，"
        "公开记录会写明。"
    )
    en = (
        "The log refuses to sign: its secret key cannot be used ({problem}) Put the file back, readable by its owner only; if it is lost, "
        "`huigong key rotate log` makes another one, and the public record says so."
    )


class LogUnreadableError(ConflictError):
    """Something stored of the log has not the form it must have, or another refusal that has no sentence for pages."""

    code = "LOG_UNREADABLE"
    zh = "拒绝签名：数据库里的公开记录读不了（{problem}）。请运行 huigong verify，按结果恢复备份。"
    en = "The log refuses to sign: what the database holds of the record cannot be read ({problem}). Run `huigong verify` and restore a backup."


class RoundFailedError(ConflictError):
    """A round ended by a fault of the program."""

    code = "ROUND_FAILED"
    zh = "公布程序这一轮出错了（{problem}），正在重试。如果一直这样，请把 huigong sequencer 的日志交给维护人员。"
    en = (
        "The last round of publication failed ({problem}) and is tried again. If this goes on, give the log of `huigong sequencer` to "
        "whoever maintains it."
    )


class SequencerSilentError(ConflictError):
    """Entries wait beyond their time, and nobody tries to publish them."""

    code = "SEQUENCER_SILENT"
    zh = (
        "公布程序没有在运行：到期的记录还没有公布。请在主机上启动 huigong sequencer（huigong run 自带），并看它的日志。"
    )
    en = (
        "The sequencer is not running: entries that are due are not published. Start `huigong sequencer` on the host (`huigong run` brings "
        "it), and look at its log."
    )


SENTENCES: Final[dict[str, type[DomainError]]] = {
    error.code: error
    for error in (
        LogDamagedError,
        LogForkError,
        LogKeyUnreadableError,
        LogMemoryLostError,
        LogUnreadableError,
        RoundFailedError,
        SequencerSilentError,
    )
}


def publish(settings: Settings, watched: Watched) -> bool:
    """One round; whether the log is in order. What is wrong is noted for the pages and said in the operator's log, and sales go on.

    Witnesses are asked first about the checkpoint that stands: if one shows more, nothing may be placed.
    """
    try:
        with transaction() as tx:
            policy = need_policy(tx)
        shelf = log_shelf(settings, policy)
        watched.ask(policy, shelf=shelf)
        signed = run_round(settings, at=now())
        watched.ask(policy, shelf=shelf)
        with transaction() as tx:
            note_done(tx, at=now())
    except LogNotOpenError as error:
        log.warning("the public record is not open", problem=str(error))
        return False
    except (DomainError, KeyFileError, MalformedError, MissingTileError) as error:
        _refuse(_say_why(error))
        return False
    except Exception as error:  # a fault of the program, or the database is gone: the sequencer outlives both
        log.exception("a round of publication failed; it is tried again")
        with suppress(Exception):  # the same database is asked to note it
            _refuse(RoundFailedError(problem=type(error).__name__))
        return False
    if signed is not None:
        log.info("published", size=signed.checkpoint.size)
    return True


def _say_why(error: DomainError | KeyFileError | MalformedError | MissingTileError) -> DomainError:
    """The refusal that has sentences in both languages."""
    if isinstance(error, DomainError):
        return error if error.code in SENTENCES else LogUnreadableError(problem=str(error))
    return (LogKeyUnreadableError if isinstance(error, KeyFileError) else LogUnreadableError)(problem=str(error))


def _refuse(refusal: DomainError) -> None:
    with transaction() as tx:
        note_refusal(tx, code=refusal.code, facts=refusal.facts, at=now())
    log.error("the public record stands still", problem=str(refusal))


def find_stopped(tx: Session) -> Standstill | None:
    """Why publication stands still now; None while it goes on."""
    return find_standstill(tx, find_policy(tx), at=now())


def show_stopped(stopped: Standstill | None, language: str) -> Stopped | None:
    """What happened and what to do next, a sentence for each; for officers and auditors, as facts name folders of the host."""
    if stopped is None:
        return None
    refusals: list[DomainError] = []
    if stopped.code in SENTENCES:
        refusals.append(SENTENCES[stopped.code](**stopped.facts))
    elif stopped.code is not None:  # noted by a sequencer of another release
        refusals.append(LogUnreadableError(problem=stopped.code))
    if stopped.is_silent:
        refusals.append(SequencerSilentError())
    return Stopped(stopped.since, tuple(refusal.sentence(language) for refusal in refusals))


def name_stopped(stopped: Standstill | None) -> str:
    """The same for machines: the code of the refusal, `ok` where publication goes on."""
    return "ok" if stopped is None else stopped.code or SequencerSilentError.code
