"""A PACS of a few lines that misbehaves as it is told, over real sockets."""

import threading
import time
from contextlib import contextmanager

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt

COMMITMENT = "1.2.840.10008.1.20.1"
INSTANCE = "1.2.840.10008.1.20.1.1"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
VERIFICATION = "1.2.840.10008.1.1"
SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
SR = "1.2.840.10008.5.1.4.1.1.88.34"


class SmallPacs:
    """Keeps what it takes, unless told otherwise.

    `answer(number)` is the status of the number-th C-STORE. `keeps(number)` tells whether it is
    stored. `reports` is how commitment is reported: "same" association, "new" one to
    `reports_to`, or "never".
    """

    def __init__(self):
        self.came = []  # SOP Instance UIDs, in the order of C-STORE
        self.bytes = {}  # the data set of each, as it came last
        self.held = {}  # SOP Instance UID: (class, study, series)
        self.transactions = []
        self.finds = 0
        self.answer = lambda _number: 0x0000
        self.keeps = lambda _number: True
        self.reports = "never"
        self.reports_to = None  # (AE title, port)
        self.before_report_s = 0.0
        self.reported = []  # what our report was answered with
        self.find_status = 0x0000
        self.find_aborts = False
        self.action_status = 0x0000
        self.hangs_up_at = None

    def store(self, event):
        uid = str(event.request.AffectedSOPInstanceUID)
        self.came.append(uid)
        number = len(self.came)
        if number == self.hangs_up_at:
            event.assoc.abort()
            return 0x0000
        status = self.answer(number)
        self.bytes[uid] = event.request.DataSet.getvalue()
        if status == 0 and self.keeps(number):
            data_set = event.dataset
            self.held[uid] = (
                str(event.request.AffectedSOPClassUID),
                str(data_set.StudyInstanceUID),
                str(data_set.SeriesInstanceUID),
            )
        return status

    def find(self, event):
        self.finds += 1
        asked = event.identifier
        if self.find_aborts:
            event.assoc.abort()
            return
        if self.find_status:
            yield self.find_status, None
            return
        for uid, (_, study, series) in self.held.items():
            if (study, series) == (str(asked.StudyInstanceUID), str(asked.SeriesInstanceUID)):
                match = Dataset()
                match.QueryRetrieveLevel = "IMAGE"
                match.StudyInstanceUID, match.SeriesInstanceUID = study, series
                match.SOPInstanceUID = uid
                yield 0xFF00, match

    def action(self, event):
        asked = event.action_information
        self.transactions.append(str(asked.TransactionUID))
        if self.reports != "never" and not self.action_status:
            run = self._on_the_same if self.reports == "same" else self._on_a_new_one
            threading.Thread(target=run, args=(event.assoc, asked), daemon=True).start()
        return self.action_status, None

    def report_on(self, asked):
        """Return (event type, information): what is stored and what is not."""
        told = Dataset()
        told.TransactionUID = asked.TransactionUID
        items = list(asked.ReferencedSOPSequence)
        told.ReferencedSOPSequence = [i for i in items if i.ReferencedSOPInstanceUID in self.held]
        failed = [i for i in items if i.ReferencedSOPInstanceUID not in self.held]
        for item in failed:
            item.FailureReason = 0x0112
        if failed:
            told.FailedSOPSequence = failed
        return (2 if failed else 1), told

    def _on_the_same(self, association, asked):
        time.sleep(self.before_report_s)
        kind, told = self.report_on(asked)
        answer, _ = association.send_n_event_report(told, kind, COMMITMENT, INSTANCE)
        self.reported.append(answer.get("Status"))

    def _on_a_new_one(self, association, asked):
        while association.is_established:  # many open their own only then
            time.sleep(0.01)
        time.sleep(self.before_report_s)
        self.report_to(*self.reports_to, *self.report_on(asked))

    def report_to(self, title, port, kind, told):
        """Open an association as SCP of commitment, as PS3.4 J.3.3 has it."""
        entity = AE("PACS")
        entity.add_requested_context(COMMITMENT)
        role = build_role(COMMITMENT, scp_role=True)
        association = entity.associate("127.0.0.1", port, ae_title=title, ext_neg=[role])
        assert association.is_established
        answer, _ = association.send_n_event_report(told, kind, COMMITMENT, INSTANCE)
        self.reported.append(answer.get("Status"))
        association.release()


@contextmanager
def small_pacs(*, classes=(SEG, SR), offers=(COMMITMENT, STUDY_ROOT_FIND), port=0, **settings):
    """Run one; `settings` are attributes of the application entity."""
    pacs = SmallPacs()
    entity = AE("PACS")
    for name, value in settings.items():
        setattr(entity, name, value)
    for uid in (*classes, *offers, VERIFICATION):
        entity.add_supported_context(uid, list(SYNTAXES))
    handlers = [
        (evt.EVT_C_STORE, pacs.store),
        (evt.EVT_C_FIND, pacs.find),
        (evt.EVT_N_ACTION, pacs.action),
    ]
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
    pacs.port = server.server_address[1]
    try:
        yield pacs
    finally:
        server.shutdown()
