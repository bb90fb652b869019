"""`huigong sequencer` publishes the public record: it alone needs the log's secret key. One runs; a second one waits for the first."""

import time

from api.commands.run import check_installation
from api.identity.installation import UnsafeSettingsError
from api.logs import configure_logs
from api.publishing import publish
from api.witness import Watched
from market.kit.database import connect, disconnect
from market.kit.settings import get_settings

ROUND_SECONDS = 1
TROUBLED_SECONDS = 30


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
            time.sleep(ROUND_SECONDS if publish(settings, watched) else TROUBLED_SECONDS)
    finally:
        disconnect()
