from service.build import UNKNOWN, git_commit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_commit_is_that_of_the_checkout(tmp_path):
    assert git_commit(tmp_path) == UNKNOWN
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / ".git/packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/main\n")
    assert git_commit(tmp_path) == COMMIT


def test_an_image_has_it_from_its_build(tmp_path):
    (tmp_path / "service").mkdir()
    written = tmp_path / "service/COMMIT"
    written.write_text(f"{COMMIT}\n")
    assert git_commit(tmp_path) == COMMIT
    written.write_text("\n")
    assert git_commit(tmp_path) == UNKNOWN
