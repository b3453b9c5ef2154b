from dataclasses import replace
from pathlib import Path

from dicom_node.tls import ClientFiles
from workers.configuration import Assignment, DeliveryRule, Destination, WebAddress


def test_an_assignment_comes_back_from_json_as_it_was(configuration):
    full = replace(
        configuration,
        destinations=(
            Destination("pacs", "PACS", "127.0.0.1", 104),
            Destination(
                "archive",
                "ARCHIVE",
                "127.0.0.1",
                2762,
                proof="commitment",
                kinds=("seg", "sr"),
                transfer_syntaxes=("1.2.840.10008.1.2",),
                tls=ClientFiles(Path("/etc/ca.pem"), server_name="archive.example"),
            ),
            Destination(
                "vna", "", "", 0, web=WebAddress("https://vna.example/dw", Path("/run/token"))
            ),
        ),
        delivery=DeliveryRule(back_off_s=(1.0, 2.0), resends=1),
        disease={"marrow_factor": 2.5},
        memory_gib=4.0,
    )
    given = Assignment("a" * 32, 3, full)
    text = given.to_json()
    assert "\n" not in text
    assert Assignment.from_json(text) == given
