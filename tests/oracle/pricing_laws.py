"""What the laws are tried on: random cases as hypothesis draws them, small enough for the engine to end at once."""

import random

from hypothesis import settings
from hypothesis import strategies as st

from tests.oracle.pricing_cases import random_case, random_set_case
from tests.oracle.pricing_oracle import count_plans

cases = (
    st.tuples(st.sampled_from([random_case, random_case, random_set_case]), st.integers(0, 10**9))
    .map(lambda drawn: drawn[0](random.Random(drawn[1])))
    .filter(lambda case: count_plans(case) < 10**5)
)
laws = settings(max_examples=150)
