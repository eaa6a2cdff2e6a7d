"""A token opens one room to one person, for a moment and once."""

import secrets
import string

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.tokens import Pass, Role, TokenMint, TokenRefusedError

BASE64 = string.ascii_letters + string.digits + "-_"
KEY = secrets.token_bytes(32)
EXPERT = Pass("room-7", "person-3", Role.HOST, "王医生", "专家", until=10_000.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mint(clock: Clock) -> TokenMint:
    return TokenMint(KEY, clock)


def refusal(mint: TokenMint, token: str) -> str:
    with pytest.raises(TokenRefusedError) as refused:
        mint.redeem(token)
    return refused.value.code


def test_a_token_opens_the_room_as_it_was_minted(mint: TokenMint) -> None:
    assert mint.redeem(mint.mint(EXPERT)) == EXPERT


def test_a_token_is_good_once(mint: TokenMint) -> None:
    token = mint.mint(EXPERT)
    mint.redeem(token)
    assert refusal(mint, token) == "used"


def test_two_tokens_of_one_person_are_good_each(mint: TokenMint) -> None:
    assert mint.redeem(mint.mint(EXPERT)) == mint.redeem(mint.mint(EXPERT))


def test_a_token_is_good_for_a_minute(mint: TokenMint, clock: Clock) -> None:
    early, late = mint.mint(EXPERT), mint.mint(EXPERT)
    clock.now += 59
    mint.redeem(early)
    clock.now += 1
    assert refusal(mint, late) == "expired"


def test_nobody_enters_after_the_room_has_closed(mint: TokenMint, clock: Clock) -> None:
    clock.now = EXPERT.until - 5
    token = mint.mint(EXPERT)
    clock.now = EXPERT.until
    assert refusal(mint, token) == "expired"


def test_a_used_token_stays_used_while_others_are_forgotten(mint: TokenMint, clock: Clock) -> None:
    old = mint.mint(EXPERT)
    mint.redeem(old)
    clock.now += 50
    young = mint.mint(EXPERT)
    mint.redeem(young)
    clock.now += 20
    mint.redeem(mint.mint(EXPERT))  # the first one is forgotten here
    assert refusal(mint, young) == "used"
    assert refusal(mint, old) == "expired"


def test_a_token_under_another_key_is_forged(mint: TokenMint, clock: Clock) -> None:
    assert refusal(mint, TokenMint(secrets.token_bytes(32), clock).mint(EXPERT)) == "forged"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another-service"},
        {"role": "owner"},
        {"until": "soon"},
        {"exp": None},
        {"jti": None},
        {"sub": None},
        {"room": None},
    ],
)
def test_a_token_with_other_claims_is_forged(mint: TokenMint, changed: dict[str, object]) -> None:
    claims = jwt.decode(
        mint.mint(EXPERT), KEY, algorithms=["HS256"], audience="qiaoyi-room:", options={"verify_exp": False}
    )
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    assert refusal(mint, jwt.encode(claims, KEY, algorithm="HS256")) == "forged"


def test_a_token_for_one_process_opens_nothing_at_another(mint: TokenMint, clock: Clock) -> None:
    here, there = (TokenMint(KEY, clock, node=node) for node in ("a", "b"))
    token = mint.mint(EXPERT, node="a")
    assert refusal(there, token) == "forged"
    assert here.redeem(token) == EXPERT


def test_who_was_let_in_before_need_not_wait_again(mint: TokenMint) -> None:
    guest = Pass("room-7", "person-1", Role.GUEST, "李大妈", "患者", until=10_000.0, admitted=True)
    assert mint.redeem(mint.mint(guest)) == guest


def test_a_token_without_a_signature_is_forged(mint: TokenMint) -> None:
    claims = jwt.decode(mint.mint(EXPERT), options={"verify_signature": False})
    assert refusal(mint, jwt.encode(claims, "", algorithm="none")) == "forged"


@given(st.text(max_size=300))
def test_any_text_that_is_no_token_is_forged(text: str) -> None:
    assert refusal(TokenMint(KEY, lambda: 1_000.0), text) == "forged"


@given(st.integers(0, 10_000), st.integers(1, 63))
def test_a_token_with_one_letter_changed_is_forged(place: int, step: int) -> None:
    mint = TokenMint(KEY, lambda: 1_000.0)
    token = mint.mint(EXPERT)
    at = place % (len(token) - 1)  # the last letter carries bits that decoding ignores
    if token[at] == ".":
        at += 1
    letter = BASE64[(BASE64.index(token[at]) + step) % 64]
    assert refusal(mint, token[:at] + letter + token[at + 1 :]) == "forged"


def test_a_short_key_is_no_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        TokenMint(b"short", lambda: 0.0)
