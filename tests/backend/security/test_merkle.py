"""The tree of RFC 6962, against the RFC's own example and the known vectors of Certificate Transparency."""

from hypothesis import given
from hypothesis import strategies as st

from backend.security.merkle import (
    EMPTY_ROOT,
    Frontier,
    Range,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The eight entries of Certificate Transparency's own tests, and the roots of the first n of them.
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [bytes.fromhex(text) for text in (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)]  # fmt: skip
LEAVES = [leaf_hash(entry) for entry in ENTRIES]

leaves = st.integers(1, 70).map(lambda count: [leaf_hash(bytes([number])) for number in range(count)])


def made(path: list[Range], tree: list[bytes]) -> list[bytes]:
    return [root_of(tree[first:last]) for first, last in path]


def inclusion_proof(index: int, tree: list[bytes]) -> list[bytes]:
    return made(inclusion_path(index, len(tree)), tree)


def consistency_proof(size: int, tree: list[bytes]) -> list[bytes]:
    return made(consistency_path(size, len(tree)), tree)


def test_the_roots_are_those_of_the_known_vectors() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [root_of(LEAVES[: count + 1]) for count in range(8)] == ROOTS


def test_the_inclusion_proofs_are_those_of_the_known_vectors() -> None:
    assert inclusion_proof(0, LEAVES[:1]) == []
    assert [step.hex() for step in inclusion_proof(0, LEAVES)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [step.hex() for step in inclusion_proof(5, LEAVES)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [step.hex() for step in inclusion_proof(2, LEAVES[:3])] == [
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    ]


def test_the_consistency_proofs_are_those_of_the_known_vectors() -> None:
    assert consistency_proof(1, LEAVES[:1]) == []
    assert [step.hex() for step in consistency_proof(1, LEAVES)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [step.hex() for step in consistency_proof(6, LEAVES)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_the_proofs_in_the_example_of_the_rfc_have_its_nodes() -> None:
    """Section 2.1.3: a tree of seven leaves d0 … d6 with the nodes a … l."""
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, last = node_hash(g, h), node_hash(i, j)
    seven = LEAVES[:7]
    assert root_of(seven) == node_hash(k, last)
    assert [inclusion_proof(number, seven) for number in (0, 3, 4, 6)] == [
        [b, h, last],
        [c, g, last],
        [f, j, k],
        [i, k],
    ]
    assert [consistency_proof(size, seven) for size in (3, 4, 6)] == [[c, d, g, last], [last], [i, j, k]]


@given(leaves)
def test_every_leaf_is_proved_in_and_no_other_in_its_place(tree: list[bytes]) -> None:
    root = root_of(tree)
    for index, leaf in enumerate(tree):
        path = inclusion_proof(index, tree)
        assert verify_inclusion(leaf, index, len(tree), path, root)
        assert not verify_inclusion(leaf_hash(b"another"), index, len(tree), path, root)
        assert not verify_inclusion(leaf, index + 1, len(tree), path, root)
        assert not verify_inclusion(leaf, index, len(tree), [*path, root], root)
        assert not path or not verify_inclusion(leaf, index, len(tree), path[:-1], root)


@given(leaves)
def test_every_size_is_proved_to_be_the_beginning_of_every_larger_one(tree: list[bytes]) -> None:
    root = root_of(tree)
    for size in range(1, len(tree) + 1):
        path = consistency_proof(size, tree)
        old = root_of(tree[:size])
        assert verify_consistency(size, old, len(tree), root, path)
        assert not verify_consistency(size, leaf_hash(b"rewritten"), len(tree), root, path)
        assert not verify_consistency(size, old, len(tree), leaf_hash(b"rewritten"), path)
        assert not verify_consistency(size, old, len(tree), root, [*path, root])


@given(st.integers(0, 300), st.integers(1, 5))
def test_a_tree_grown_by_whole_blocks_has_the_root_of_its_leaves(count: int, bits: int) -> None:
    tree = [leaf_hash(number.to_bytes(2)) for number in range(count)]
    width = 1 << bits
    grown = Frontier()
    whole = count // width * width
    for start in range(0, whole, width):
        grown.append(root_of(tree[start : start + width]), bits)
    for leaf in tree[whole:]:
        grown.append(leaf)
    assert (grown.size, grown.root()) == (count, root_of(tree))
