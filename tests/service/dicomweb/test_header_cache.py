import stat
from dataclasses import replace

from service.dicomweb.catalogue import Catalogue
from service.dicomweb.header_cache import HeaderCache, Narrowing, SeriesHeader
from service.dicomweb.reading import ObjectReader
from tests.service.dicomweb.objects import OTHER, STUDY, image, segmentation


def text(tag, vr, value):
    return {tag: {"vr": vr, "Value": [value]}}


def filled(folder):
    cache = HeaderCache(folder)
    studies = {f"1.{n}": text("00080020", "DA", f"2026010{n}") for n in range(1, 5)}
    series = [
        SeriesHeader("1.1", "1.1.1", text("00080060", "CS", "MR")),
        SeriesHeader("1.2", "1.2.1", text("00080060", "CS", "SEG")),
        SeriesHeader("1.2", "1.2.2", text("00080060", "CS", "[MR")),
    ]
    cache.keep(dict.fromkeys(studies, 3), studies, series)
    return cache


def found(cache, **narrowing):
    return [uid for uid, _ in cache.studies(Narrowing(**narrowing))]


def test_studies_come_the_latest_first_and_narrowed(tmp_path):
    cache = filled(tmp_path)
    assert found(cache) == ["1.4", "1.3", "1.2", "1.1"]
    assert found(cache, dates=("20260102", "20260103")) == ["1.3", "1.2"]
    assert found(cache, study_uids=("1.4", "9.9")) == ["1.4"]
    assert found(cache, modality="S?G") == ["1.2"]
    assert found(cache, modality="[*") == ["1.2"]
    assert found(cache, modality="MR") == ["1.1"]
    assert found(cache, modality="CT") == []
    cache.forget(["1.2", "1.3"])
    assert found(cache) == ["1.4", "1.1"]
    assert cache.series(["1.2"]) == {}


def test_it_is_kept_on_disk_for_our_user_only(tmp_path):
    filled(tmp_path / "headers")
    (path,) = (tmp_path / "headers").glob("*.sqlite")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert found(HeaderCache(tmp_path / "headers"), modality="SEG") == ["1.2"]


def test_where_nothing_can_be_written_it_lasts_as_long_as_the_process(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    cache = filled(blocked / "headers")
    assert found(cache) == ["1.4", "1.3", "1.2", "1.1"]
    assert "until this process ends" in caplog.text
    folder = cache._path.parent
    cache.close()
    assert not folder.exists()


def test_no_file_is_opened_twice(holdings, monkeypatch):
    reader = ObjectReader()
    opened = []
    attributes = reader.attributes

    def counted(paths, keywords):
        opened.extend(paths)
        return attributes(paths, keywords)

    monkeypatch.setattr(reader, "attributes", counted)
    try:
        catalogue = Catalogue(holdings.site, HeaderCache(holdings.site.headers_dir), reader)
        assert catalogue.refresh()
        assert len(opened) == 8
        assert catalogue.refresh()
        again = Catalogue(holdings.site, HeaderCache(holdings.site.headers_dir), reader)
        assert again.refresh()
        assert len(opened) == 8
        holdings.receive(image(f"{STUDY}.1", 3))
        assert again.refresh()
        assert len(opened) == 8, "the series is known"
        holdings.measure(OTHER, segmentation(f"{OTHER}.90", 1))
        assert again.refresh()
        assert len(opened) == 9
    finally:
        reader.close()


def test_a_search_reads_for_so_long_only_and_the_next_goes_on(holdings, monkeypatch):
    monkeypatch.setattr("service.dicomweb.catalogue._AT_ONCE", 1)
    reader = ObjectReader()
    try:
        cache = HeaderCache(holdings.site.headers_dir)
        hurried = Catalogue(holdings.site, cache, reader, patience_s=-1.0)
        assert not hurried.refresh()
        assert cache.known() == {}
        assert Catalogue(holdings.site, cache, reader).refresh()
        assert set(cache.known()) == {STUDY, OTHER}
        store = holdings.site.store
        gone = replace(holdings.site, store=_Without(store, OTHER))
        assert Catalogue(gone, cache, reader).refresh()
        assert set(cache.known()) == {STUDY}
    finally:
        reader.close()


class _Without:
    """A store that holds one study less."""

    def __init__(self, store, study_uid):
        self._store = store
        self._gone = study_uid

    def __getattr__(self, name):
        return getattr(self._store, name)

    def held_studies(self):
        held = self._store.held_studies()
        return {uid: n for uid, n in held.items() if uid != self._gone}
