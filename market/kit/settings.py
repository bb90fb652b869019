"""Settings of one installation, from `HUIGONG_…` environment variables or a `.env` file; each is described in docs/settings.md."""

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEMO_MASTER_KEY = "demo-only-master-key-never-use-it-for-people"
DEMO_STRIPE_KEY = "sk_test_huigong_demo_sandbox_only"
DEMO_STRIPE_SECRET = "whsec_huigong_demo_sandbox_only"  # noqa: S105  known to everybody, and refused for real money


class Settings(BaseSettings):
    """The values an operator may set; the defaults run a demo on one machine."""

    model_config = SettingsConfigDict(env_prefix="HUIGONG_", env_file=".env", extra="ignore", frozen=True)

    database_url: str | None = Field(default=None, description="PostgreSQL ≥ 15 to use instead of the embedded one.")
    data_dir: Path | None = Field(default=None, description="Where the embedded PostgreSQL keeps its data.")
    master_key: SecretStr = Field(
        default=SecretStr(DEMO_MASTER_KEY),
        description="Secret from which card keys, id encryption and key wrapping derive; kept outside the database.",
    )
    zone: str = Field(
        default="Asia/Shanghai", description="Business time zone: days, weeks and months are counted in it."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    public_url: str | None = Field(
        default=None,
        description="The address people type, with https, when a proxy stands in front; makes cookies secure.",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Web processes.")
    pool_size: int = Field(default=12, ge=2, le=100, description="Database connections per web process.")
    name: str | None = Field(default=None, description="Name shown in the top bar, instead of the union's own.")
    stripe_key: SecretStr = Field(
        default=SecretStr(DEMO_STRIPE_KEY),
        description="Secret key at the payment provider; a live one moves real money.",
    )
    stripe_base: str | None = Field(
        default=None,
        description="Another address that speaks Stripe's dialect, such as stripe-mock; for test keys only.",
    )
    stripe_webhook_secret: SecretStr = Field(
        default=SecretStr(DEMO_STRIPE_SECRET), description="Secret with which the provider signs its events."
    )
    sandbox_port: int = Field(
        default=8008, ge=1, le=65535, description="Port on loopback where a demo's payment sandbox listens."
    )
    sandbox_knobs: str | None = Field(
        default=None, description="What the sandbox does to its events, as `duplicate_percent=50 delay_ms=2000`."
    )
    record_folder: Path | None = Field(
        default=None,
        description="Where the promise key of the public record and the erasure list lie; not beside the database's backups.",
    )
    log_key_folder: Path | None = Field(
        default=None,
        description="Where the log's secret key and its memory of what was signed lie, for the sequencer alone; else the record's folder.",
    )
    record_witnesses: str | None = Field(
        default=None,
        description="Addresses of witnesses that are asked to cosign checkpoints, with spaces between them.",
    )
    log_format: str = Field(
        default="auto", pattern="^(auto|json|console)$", description="json, console, or by terminal."
    )


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
