"""Brings a database to the newest schema; the migrations stand in alembic/versions, their configuration in pyproject.toml."""

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from alembic import command

ROOT = Path(__file__).parents[2]


def get_config(url: str) -> Config:
    """Alembic's configuration for one database, given as a SQLAlchemy URL."""
    config = Config(toml_file=ROOT / "pyproject.toml", attributes={"url": url})
    config.set_main_option("script_location", str(ROOT / "alembic"))
    return config


def upgrade(url: str) -> None:
    """Run every migration that has not been run; does nothing when the schema is the newest."""
    command.upgrade(get_config(url), "head")


def is_newest(url: str) -> bool:
    """Whether the database stands at the newest migration."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
        return set(found) == set(ScriptDirectory.from_config(get_config(url)).get_heads())
    finally:
        engine.dispose()
