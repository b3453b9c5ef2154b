"""Who is put out, and who is counted as what."""

from dataclasses import dataclass, field

import pytest

from dicom_node.acceptor.doorway import Doorway
from dicom_node.acceptor.limits import Limits
from dicom_node.rejection import TooManyAssociations


@dataclass(eq=False)
class Visitor:
    address: str
    out: list = field(default_factory=list)

    def put_out(self):
        self.out.append(True)


def come(doorway, address, count):
    visitors = [Visitor(address) for _ in range(count)]
    for visitor in visitors:
        doorway.wait(visitor)
    return visitors


def out(visitors):
    return [bool(visitor.out) for visitor in visitors]


def test_one_too_many_of_an_address_puts_out_its_oldest():
    doorway = Doorway(Limits(waiting=100, waiting_per_address=3))
    visitors = come(doorway, "a", 5)
    assert out(visitors) == [True, True, False, False, False]
    assert doorway.waiting == 3


def test_one_too_many_of_all_puts_out_one_of_the_address_that_has_most():
    doorway = Doorway(Limits(waiting=5, waiting_per_address=4))
    many, few = come(doorway, "a", 4), come(doorway, "b", 2)
    assert out(many) == [True, False, False, False]
    assert out(few) == [False, False]


def test_who_left_makes_room():
    doorway = Doorway(Limits(waiting=2, waiting_per_address=2))
    first, second = come(doorway, "a", 2)
    doorway.leave(first)
    doorway.leave(first)
    come(doorway, "a", 1)
    assert out([first, second]) == [False, False]
    assert doorway.waiting == 2


def test_associations_have_limits_of_their_own():
    doorway = Doorway(Limits(waiting=9, associations=3, associations_per_address=2))
    one, two, three = come(doorway, "a", 3)
    doorway.associate(one)
    doorway.associate(two)
    with pytest.raises(TooManyAssociations):
        doorway.associate(three)
    (other, last) = come(doorway, "b", 2)
    doorway.associate(other)
    with pytest.raises(TooManyAssociations):
        doorway.associate(last)
    assert (doorway.associated, doorway.waiting) == (3, 2)
    doorway.dissociate(one)
    assert (doorway.associated, doorway.waiting) == (2, 3)
    doorway.leave(one)
    doorway.associate(three)
    assert (doorway.associated, doorway.waiting) == (3, 1)
