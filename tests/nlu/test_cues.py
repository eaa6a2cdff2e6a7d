"""Words that tell the department: the longest, none denied, none inside another word."""

from data.directions import directions
from nlu.cues import STRENGTHS, cue_weights, find_cues
from nlu.normalise import normalise


def words(text: str) -> list[str]:
    plain = normalise(text).text
    return [cue.word for cue in find_cues(plain, plain)]


def test_the_longest_word_at_a_place_counts() -> None:
    assert words("甲状腺结节") == ["甲状腺结节"]


def test_every_word_counts_once_in_the_order_of_the_text() -> None:
    assert words("咳嗽，老咳嗽，胸闷，咳嗽") == ["咳嗽", "老咳嗽", "胸闷"]


def test_what_is_denied_is_left_out_and_what_is_asked_stays() -> None:
    assert words("没有胸闷，是不是甲亢？") == ["甲亢"]


def test_latin_words_must_stand_alone() -> None:
    assert words("i want to see") == []
    assert words("做NT检查") == ["nt检查"]
    assert words("TSH偏高") == ["tsh"]


def test_traditional_characters_are_read() -> None:
    assert words("甲狀腺結節") == ["甲状腺结节"]


def test_every_cue_can_be_found_in_normalised_text() -> None:
    assert [word for word in cue_weights() if normalise(word).text != word] == []


def test_no_weight_exceeds_that_of_a_decisive_word() -> None:
    assert all(0 < weight <= STRENGTHS["decisive"] for some in cue_weights().values() for weight in some.values())


def test_words_of_a_direction_for_adults_count_less_for_children() -> None:
    respiratory = next(word for word in directions()["respiratory"].cues["decisive"] if len(word) > 1)
    weights = cue_weights()[respiratory]
    own = {w for words in directions()["child_respiratory"].cues.values() for w in words}
    assert respiratory in own or weights["child_respiratory"] < weights["respiratory"]
