from dataclasses import replace

from workers.configuration import Assignment, Destination


def test_an_assignment_comes_back_from_json_as_it_was(configuration):
    full = replace(
        configuration,
        destinations=(Destination("pacs", "PACS", "127.0.0.1", 104),),
        disease={"marrow_factor": 2.5},
        memory_gib=4.0,
    )
    given = Assignment("a" * 32, 3, full)
    text = given.to_json()
    assert "\n" not in text
    assert Assignment.from_json(text) == given
