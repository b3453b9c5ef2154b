import pytest

from imaging.errors import ModelMismatch
from workers.inference.model import ModelUnavailable
from workers.inference.patience import Breaker, Patience, breaker_of


class Clock:
    """Time that only sleeping moves."""

    def __init__(self):
        self.s = 0.0
        self.slept = []

    def now(self):
        return self.s

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.s += seconds


class Server:
    """Answers from the given second on; every request takes a moment."""

    def __init__(self, clock, back_at_s, takes_s=0.01):
        self.clock, self.back_at_s, self.takes_s = clock, back_at_s, takes_s
        self.asked_at_s = []

    def __call__(self):
        self.asked_at_s.append(self.clock.s)
        self.clock.s += self.takes_s
        if self.clock.s < self.back_at_s:
            message = "away"
            raise ModelUnavailable(message)
        return "answer"


@pytest.fixture
def clock():
    return Clock()


def patience(clock, limit_s, **breaker):
    return Patience(limit_s, Breaker("there", now=clock.now, **breaker), clock.now, clock.sleep)


def test_a_server_that_answers_is_asked_once(clock):
    server = Server(clock, back_at_s=0)
    assert patience(clock, 10).persist(server) == "answer"
    assert server.asked_at_s == [0.0]


def test_pauses_grow_and_are_never_the_same_for_all_workers(clock):
    server = Server(clock, back_at_s=12)
    assert patience(clock, 60, limit=100).persist(server) == "answer"
    longest = [0.25, 0.5, 1, 2, 4, 8, 8][: len(clock.slept)]
    pairs = list(zip(clock.slept, longest, strict=True))
    assert all(most / 2 <= pause <= most for pause, most in pairs)
    assert any(pause != most for pause, most in pairs)


def test_a_server_that_stays_away_ends_in_its_own_error(clock):
    server = Server(clock, back_at_s=1e9)
    with pytest.raises(ModelUnavailable, match=r"^away$"):
        patience(clock, 20).persist(server)
    assert 10 < clock.s <= 20


def test_after_three_failures_one_request_in_five_seconds_goes_out(clock):
    server = Server(clock, back_at_s=1e9)
    with pytest.raises(ModelUnavailable):
        patience(clock, 60).persist(server)
    between = [b - a for a, b in zip(server.asked_at_s, server.asked_at_s[1:], strict=False)]
    assert len(between) > 5
    assert all(gap < 5 for gap in between[:2])
    assert all(gap >= 5 for gap in between[2:])


def test_other_slabs_wait_for_the_trial_too_and_success_forgets(clock):
    breaker = Breaker("there", limit=2, rest_s=5, now=clock.now)
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    clock.s = 5.5
    assert breaker.allows()  # the trial
    assert not breaker.allows()  # everybody else
    breaker.succeeded()
    assert breaker.allows()
    assert breaker.allows()


def test_a_server_that_was_not_asked_is_away_with_a_sentence(clock):
    rests = patience(clock, 1, limit=1)
    rests.breaker.failed()
    with pytest.raises(ModelUnavailable, match="there was not asked: it failed too often"):
        rests.persist(Server(clock, back_at_s=0))


def test_what_asking_again_cannot_mend_passes_at_once(clock):
    def refuse():
        message = "another model"
        raise ModelMismatch(message)

    with pytest.raises(ModelMismatch, match="another model"):
        patience(clock, 60).persist(refuse)
    assert clock.slept == []


def test_all_models_of_one_server_share_its_breaker():
    assert breaker_of("a:1") is breaker_of("a:1")
    assert breaker_of("a:1") is not breaker_of("b:1")
