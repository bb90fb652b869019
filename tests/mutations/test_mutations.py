import pytest

from tests.mutations.mutations import MUTATIONS
from tests.mutations.trial import ROOT, UNSPOILT, try_mutation

# One of each room: money, gates, kinds. All of them: python -m tests.mutations.
TRIED = ["rates round down", "a window includes its end", "buy-x-get-y rewards the dearest"]


def test_every_mutation_finds_its_text_once_and_has_its_own_name():
    for mutation in MUTATIONS:
        assert (ROOT / mutation.path).read_text().count(mutation.old) == 1, mutation.name
        assert mutation.old != mutation.new
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 30


@pytest.mark.long
@pytest.mark.parametrize("name", TRIED)
def test_the_quick_tests_catch_a_spoilt_engine(name):
    (mutation,) = [one for one in MUTATIONS if one.name == name]
    trial = try_mutation(mutation)
    assert trial.is_caught, trial.told
    assert "test_" in trial.told


@pytest.mark.long
def test_the_quick_tests_pass_on_the_engine_as_it_is():
    trial = try_mutation(UNSPOILT)
    assert not trial.is_caught
    assert trial.told == "no test failed"
