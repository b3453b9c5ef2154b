"""One digest for one set of images."""

from dataclasses import replace
from datetime import UTC, datetime

from jobs.study import Instance, input_digest

A = Instance("1.1", "1", "1.0", "1.5", "1.6", "aa", 1, "a", datetime(2026, 1, 1, tzinfo=UTC))
B = replace(A, sop_instance_uid="1.2", sha256="bb")


def test_the_digest_is_of_uids_and_bytes():
    # printf '1.1 aa\n1.2 bb\n' | sha256sum
    known = "cbd3148f2d997f4ad168ad92bd38000bb321bc4e4c881e977212077adb875434"
    assert input_digest([A, B]) == known


def test_the_digest_does_not_depend_on_the_arrival():
    late = replace(A, path="elsewhere", received_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert input_digest([B, late]) == input_digest([A, B])


def test_other_bytes_or_one_image_more_are_another_input():
    digests = {input_digest(x) for x in ([A], [A, B], [A, replace(B, sha256="cc")])}
    assert len(digests) == 3
