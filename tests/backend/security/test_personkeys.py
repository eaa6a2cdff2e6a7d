"""A key for each person: what is written under it goes, everywhere at once, when it is destroyed."""

import multiprocessing
from pathlib import Path

import pytest

from backend.security.errors import KeyRingError, PersonKeyDestroyed
from backend.security.keyring import KeyRing, add_key, open_key_file, person_key_folder

COLUMN, MESSAGE = "conversations.state", "我胸口疼".encode()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    open_key_file(path)
    return path


@pytest.fixture
def ring(key_file: Path) -> KeyRing:
    return open_key_file(key_file)


def destroy(ring: KeyRing, person_id: str) -> None:
    assert ring.people is not None
    ring.people.destroy(person_id)


def test_what_is_somebodys_own_is_read_again_by_every_process(ring: KeyRing, key_file: Path) -> None:
    stored = ring.encrypt_for("wang", MESSAGE, COLUMN)
    assert MESSAGE not in stored
    assert ring.decrypt(stored, COLUMN) == open_key_file(key_file).decrypt(stored, COLUMN) == MESSAGE


def test_after_the_key_nothing_of_it_opens_and_what_others_wrote_does(ring: KeyRing, key_file: Path) -> None:
    hers, his = ring.encrypt_for("wang", MESSAGE, COLUMN), ring.encrypt_for("li", MESSAGE, COLUMN)
    destroy(ring, "wang")
    destroy(ring, "wang")
    for reader in (ring, open_key_file(key_file)):
        with pytest.raises(PersonKeyDestroyed):
            reader.decrypt(hers, COLUMN)
        assert reader.decrypt(his, COLUMN) == MESSAGE
    assert ring.people is not None
    assert list(ring.people.destroyed()) == ["wang"]
    left = [path.read_bytes() for path in person_key_folder(key_file).rglob("wang*")]
    assert left == [b""], "the mark alone is left"


def test_a_copy_that_a_killed_process_left_beside_the_key_goes_with_it(ring: KeyRing, key_file: Path) -> None:
    ring.encrypt_for("wang", MESSAGE, COLUMN)
    [path] = person_key_folder(key_file).glob("??/wang")
    path.with_name(".wang.0123456789ab").write_bytes(path.read_bytes())
    path.with_name(".wangli.0123456789ab").write_bytes(b"another's")
    destroy(ring, "wang")
    assert sorted(one.name for one in path.parent.iterdir()) == [".wangli.0123456789ab", "wang.destroyed"]


def test_a_process_that_knew_the_key_writes_no_more_under_it(ring: KeyRing, key_file: Path) -> None:
    other = open_key_file(key_file)
    other.encrypt_for("wang", MESSAGE, COLUMN)
    destroy(ring, "wang")
    later = other.encrypt_for("wang", MESSAGE, COLUMN)
    assert ring.decrypt(later, COLUMN) == MESSAGE, "what has to be kept of them lies under the ring's key"


def test_a_lost_key_is_told_apart_from_a_destroyed_one(ring: KeyRing, key_file: Path) -> None:
    stored = ring.encrypt_for("wang", MESSAGE, COLUMN)
    next(person_key_folder(key_file).glob("??/wang")).unlink()
    with pytest.raises(KeyRingError, match="missing") as lost:
        open_key_file(key_file).decrypt(stored, COLUMN)
    assert not isinstance(lost.value, PersonKeyDestroyed)


def test_a_value_belongs_to_its_column_and_its_person(ring: KeyRing) -> None:
    stored = ring.encrypt_for("wang", MESSAGE, COLUMN)
    ring.encrypt_for("zhou", MESSAGE, COLUMN)
    for changed, column in (
        (stored, "outbox.content"),
        (stored.replace(b"wang", b"zhou"), COLUMN),
        (stored[:9], COLUMN),
    ):
        with pytest.raises(KeyRingError):
            ring.decrypt(changed, column)
    with pytest.raises(KeyRingError):
        ring.encrypt_for("../keys", MESSAGE, COLUMN)


def test_keys_come_under_a_new_key_of_the_ring_and_destroyed_ones_do_not_come_back(
    ring: KeyRing, key_file: Path
) -> None:
    hers, his = ring.encrypt_for("wang", MESSAGE, COLUMN), ring.encrypt_for("li", MESSAGE, COLUMN)
    destroy(ring, "wang")
    before = next(person_key_folder(key_file).glob("??/li")).read_bytes()
    add_key(key_file)
    rotated = open_key_file(key_file)
    assert rotated.people is not None
    assert rotated.people.rewrap() == 1
    assert next(person_key_folder(key_file).glob("??/li")).read_bytes() != before
    assert open_key_file(key_file).decrypt(his, COLUMN) == ring.decrypt(his, COLUMN) == MESSAGE
    with pytest.raises(PersonKeyDestroyed):
        rotated.decrypt(hers, COLUMN)


def _write(path: Path, results: "multiprocessing.Queue[bytes]") -> None:
    results.put(open_key_file(path).encrypt_for("wang", MESSAGE, COLUMN))


def test_of_processes_that_make_a_key_at_once_all_use_the_same(ring: KeyRing, key_file: Path) -> None:
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[bytes] = context.Queue()
    processes = [context.Process(target=_write, args=(key_file, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [ring.decrypt(results.get(timeout=60), COLUMN) for _ in processes] == [MESSAGE] * 4
    for process in processes:
        process.join()
