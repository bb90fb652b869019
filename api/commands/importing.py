"""`huigong import units|members|merchants|catalogue FILE`: CSV files, in UTF-8 or GB18030, with Chinese or English headers.

The catalogue may be a workbook (XLSX) too.

Rows that are refused go to standard output, one a line; right rows are entered all the same. Exit code 1 when any was refused.
"""

import getpass
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import cards.importing
import merchants
import merchants.importing
from api.commands.database import open_database
from api.pages.products import category_words
from market.kit.clock import now
from market.kit.csv_file import RowError
from market.kit.database import transaction
from merchants.operations import MerchantUnknownError

console = Console(stderr=True)

TablePath = Annotated[
    Path, typer.Argument(help="A CSV file or a workbook.", exists=True, dir_okay=False, readable=True)
]
CsvPath = Annotated[Path, typer.Argument(help="A CSV file.", exists=True, dir_okay=False, readable=True)]


def import_units(file: CsvPath) -> None:
    """Enter, rename or move units. Columns: 单位代码 code, 单位名称 name, 上级代码 parent_code (empty for a union)."""
    with open_database(), file.open("rb") as opened, console.status("Reading units"), transaction() as tx:
        result = cards.importing.import_units(tx, file=opened, file_name=file.name, by=_who(), at=now())
    _report(result)


def import_members(file: CsvPath) -> None:
    """Enter members with their cards, or change what differs of those who are there.

    Columns: 工号 staff_number, 姓名 name, 手机 phone, 身份证号 national_id, 单位代码 unit_code; if they are there also 等级 grade,
    标签 tags, 状态 state (在职 active, 退休 retired, 退会 left).
    """
    with open_database(), file.open("rb") as opened, _bar("members") as progress:
        result = cards.importing.import_members(opened, file_name=file.name, by=_who(), at=now(), progress=progress)
    _report(result)


def import_merchants(file: CsvPath) -> None:
    """Admit merchants and open their shops, one row per shop.

    Columns: 商户代码 merchant_code, 商户名称 merchant_name, 统一社会信用代码 credit_code, 类别 category, 门店代码 shop_code,
    门店名称 shop_name, 地址 address; if it is there also 收银方式 till (金额 amounts, 商品 items, 流水 register).
    """
    with open_database(), file.open("rb") as opened, console.status("Reading merchants"), transaction() as tx:
        result = merchants.importing.import_merchants(tx, file=opened, at=now())
    _report(result)


def import_catalogue(
    file: TablePath, merchant: Annotated[str, typer.Option(help="The code of the merchant whose products these are.")]
) -> None:
    """Enter a merchant's products, or change what differs of those that are there, one row per variant.

    It is the file of the owner's page, where its columns are listed and a present catalogue can be had as a file to begin with. A product
    with a wrong row is refused whole. What the union stopped is not listed again.
    """
    with open_database(), _bar("products") as progress, transaction() as tx:
        found = merchants.find_merchants(tx, codes=[merchant])
        if merchant not in found:
            raise MerchantUnknownError
        result = merchants.import_products(
            tx,
            merchant_id=found[merchant].merchant_id,
            content=file.read_bytes(),
            categories=category_words(),
            at=now(),
            progress=progress,
        )
    _report(
        merchants.importing.ImportResult(
            rows_read=len(result.effects), errors=result.errors, ignored=result.ignored, **result.counts()
        )
    )


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, moved by whoever is told so many are done of so many."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _who() -> str:
    """Who imports from the command line: the user of this host."""
    return f"{getpass.getuser()} (command line)"


def _report(result: cards.importing.ImportResult | merchants.importing.ImportResult) -> None:
    _list_errors(result.errors, refused=result.refused)
    if result.ignored:
        console.print(f"Columns nobody asked for: {', '.join(result.ignored)}", highlight=False, markup=False)
    console.print(
        f"{result.rows_read} rows: {result.added} added, {result.changed} changed, {result.same} the same, "
        f"{result.refused} refused.",
        highlight=False,
    )
    if result.refused:
        raise typer.Exit(1)


def _list_errors(errors: Sequence[RowError], *, refused: int) -> None:
    for error in errors:
        typer.echo(error.sentence("en"))
    if left := refused - len({error.row for error in errors}):
        typer.echo(f"… and {left} more rows")
