"""National ids (GB 11643): 18 characters with region, date of birth and check digit. Pure; never put one in an error or a log."""

import re

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from market.kit.errors import InvalidError

# GB/T 2260 provinces, 81 to 83 for residents from Hong Kong, Macau and Taiwan, 9 for foreign permanent residents.
_REGION = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[0-9]", re.ASCII)
_FORM = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
FIRST_YEAR = 1900


class NationalIdWrongError(InvalidError):
    """Not a national id; `problem` is `length`, `check_digit`, `birth_date` or `region`."""

    code = "NATIONAL_ID_WRONG"
    zh = "身份证号有误。请对照证件逐位核对后重填。"
    en = "The national id is not right. Compare it with the card digit by digit."


def read_national_id(text: str) -> str:
    """The id in its one spelling. Raises NationalIdWrongError.

    `stdnum.cn.ric.validate` is not used as a whole: it wants the region's code to have been in force in the year of birth,
    but ids were first given out in 1984, with the codes of that time, so it refuses most people who are now retired.
    """
    national_id = ric.compact(text)
    if not _FORM.fullmatch(national_id):
        raise NationalIdWrongError(problem="length")
    if ric.calc_check_digit(national_id) != national_id[-1]:
        raise NationalIdWrongError(problem="check_digit")
    if not _REGION.match(national_id):
        raise NationalIdWrongError(problem="region")
    try:
        born_on = ric.get_birth_date(national_id)
    except ValidationError:
        raise NationalIdWrongError(problem="birth_date") from None
    if born_on.year < FIRST_YEAR:
        raise NationalIdWrongError(problem="birth_date")
    return str(national_id)
