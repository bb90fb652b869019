"""`huigong worker` does the jobs: events of the payment provider, refunds, what is over. As many as wanted may run."""

from api.commands.run import check_installation
from api.identity.installation import UnsafeSettingsError
from api.jobs import AT_ONCE, run_worker
from api.logs import configure_logs
from market.kit.database import connect, disconnect
from market.kit.settings import get_settings

SPARE_CONNECTIONS = 2


def worker() -> None:
    """Do jobs until stopped; those begun are finished. `huigong run` brings one; beside `huigong serve` start at least one."""
    settings = get_settings()
    if settings.database_url is None:
        raise UnsafeSettingsError("`huigong worker` needs HUIGONG_DATABASE_URL; `huigong run` brings its own database.")
    configure_logs(settings.log_format)
    check_installation(settings.database_url)
    connect(settings.database_url, pool_size=AT_ONCE + SPARE_CONNECTIONS)
    try:
        run_worker(settings.database_url)
    finally:
        disconnect()
