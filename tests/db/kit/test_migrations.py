import pytest
from alembic.util import CommandError
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from alembic import command
from market.kit.migrations import get_config, is_newest, upgrade
from market.kit.postgres import Cluster, create_database


def test_the_migrations_end_where_the_models_are(database_url: str) -> None:
    command.check(get_config(database_url))


def test_a_difference_between_models_and_database_is_noticed(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE entry ADD COLUMN surplus int"))
    with pytest.raises(CommandError, match="surplus"):
        command.check(get_config(database_url))


def test_an_empty_database_is_not_the_newest_and_upgrading_twice_is_upgrading_once(cluster: Cluster) -> None:
    create_database(cluster, "from_nothing")
    url = cluster.url("from_nothing")
    assert not is_newest(url)
    upgrade(url)
    assert is_newest(url)
    upgrade(url)
    assert is_newest(url)
