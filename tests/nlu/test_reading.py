"""How what the rules and what the trained reader see of a message is joined."""

import pytest

from nlu.lexicon import Match
from nlu.normalise import normalise
from nlu.reader import Reading, Stretch
from nlu.reading import JointReading, Seen
from nlu.segment import Segmenter, WordBounds
from nlu.types import Asked, Context, Slot, Speaker, Status, SymptomMention, Utterance
from tests.nlu.conftest import Understand

NAMES = {"咳嗽": "咳嗽", "低热": "发烧", "抽搐": "抽搐"}
SEGMENTER = Segmenter(())


def joint(text: str, stretches: list[Stretch], matches: list[Match]) -> JointReading:
    return JointReading(Seen(Reading(tuple(stretches)), NAMES), matches, WordBounds(SEGMENTER, text))


def stretch(
    start: int, end: int, label: str = "咳嗽", status: Status = Status.POSITIVE, certainty: float = 0.99
) -> Stretch:
    return Stretch(start, end, label, status, certainty)


def test_what_the_reader_alone_finds_is_added_under_our_name() -> None:
    [match] = joint("孩子咔咔的", [stretch(2, 4, "低热")], []).matches
    assert (match.kind, match.name, match.start, match.end) == ("symptom", "发烧", 2, 4)


def test_what_the_lexicon_finds_stays_where_the_reader_is_silent() -> None:
    found = Match("symptom", "胸痛", 0, 2)
    assert joint("胸痛", [], [found]).matches == [found]


@pytest.mark.parametrize("kind", ["drug", "disease", "symptom"])
def test_a_word_of_the_lexicon_is_not_taken_for_something_else(kind: str) -> None:
    found = Match(kind, "退烧药", 0, 3)  # type: ignore[arg-type]
    assert joint("退烧药吃了", [stretch(0, 2, "低热")], [found]).matches == [found]


def test_a_disease_is_left_to_the_rules() -> None:
    assert joint("肺炎", [stretch(0, 2, "肺炎")], []).matches == []


def test_what_cuts_into_a_longer_word_is_not_added() -> None:
    assert joint("烧水喝", [stretch(0, 1, "低热")], []).matches == []


def test_a_temperature_is_not_added_as_a_symptom() -> None:
    number = Stretch(0, 5, "低热", Status.POSITIVE, 0.99, is_temperature=True)
    assert joint("37.5度", [number], []).matches == []


@pytest.mark.parametrize("by_rules", [Status.NEGATIVE, Status.UNKNOWN])
def test_a_cue_of_the_rules_decides_the_status(by_rules: Status) -> None:
    found = Match("symptom", "咳嗽", 2, 4)
    assert joint("没有咳嗽", [stretch(2, 4)], [found]).status(found, by_rules) is by_rules


def test_without_a_cue_a_sure_reader_decides_the_status() -> None:
    found = Match("symptom", "咳嗽", 0, 2)
    sure, unsure = (stretch(0, 2, status=Status.NEGATIVE, certainty=certainty) for certainty in (0.99, 0.6))
    assert joint("咳嗽", [sure], [found]).status(found, Status.POSITIVE) is Status.NEGATIVE
    assert joint("咳嗽", [unsure], [found]).status(found, Status.POSITIVE) is Status.POSITIVE


def test_a_danger_sign_counts_as_there_unless_the_rules_deny_it() -> None:
    found = Match("symptom", "抽搐", 0, 2)
    denied = stretch(0, 2, "抽搐", Status.NEGATIVE)
    assert joint("抽了", [denied], [found]).status(found, Status.POSITIVE) is Status.POSITIVE
    assert joint("抽了", [denied], [found]).status(found, Status.NEGATIVE) is Status.NEGATIVE


def test_findings_keep_the_finer_name_and_its_place(understand: Understand) -> None:
    text = "昨天 拉了好几次水样便"
    findings = {finding.label: finding for finding in understand(text).findings}
    finding = findings["水样便"]
    assert finding.name == "腹泻"
    assert "水样" in text[finding.start : finding.end]


def test_the_answer_is_read_with_the_question_before_it(understand: Understand) -> None:
    def status(question: str, answer: str) -> Status:
        before = (Utterance(speaker=Speaker.DOCTOR, text=question),)
        asked = Asked(slot=Slot.SYMPTOM, values=("发烧",))
        findings = understand(answer, context=Context(asked=asked, before=before)).findings
        return next(finding.status for finding in findings if finding.asked and finding.name == "发烧")

    assert status("有没有发烧？", "没有") is Status.NEGATIVE
    assert status("有没有发烧？", "有，昨晚开始的") is Status.POSITIVE


def test_what_no_word_of_ours_confirms_needs_a_likely_name() -> None:
    unsure = Stretch(2, 4, "低热", Status.POSITIVE, 0.99, name_certainty=0.3)
    assert joint("孩子咔咔的", [unsure], []).matches == []


ASKED_COUGH = Asked(slot=Slot.SYMPTOM, values=("咳嗽",))


def answered(status: Status, certainty: float, label: str = "咳嗽") -> JointReading:
    seen = Seen(Reading((), (stretch(0, 2, label, status, certainty),)), NAMES)
    return JointReading(seen, [], WordBounds(SEGMENTER, "好多了"))


def test_where_the_rules_hear_no_answer_a_very_sure_reader_is_believed() -> None:
    [mention] = answered(Status.NEGATIVE, 0.99).answers(ASKED_COUGH, {})
    assert (mention.name, mention.status) == ("咳嗽", Status.NEGATIVE)
    assert answered(Status.NEGATIVE, 0.8).answers(ASKED_COUGH, {}) == []
    assert answered(Status.UNKNOWN, 0.99).answers(ASKED_COUGH, {}) == []
    assert answered(Status.NEGATIVE, 0.99).answers(ASKED_COUGH, {"咳嗽": Status.POSITIVE}) == []


def test_a_danger_sign_is_never_answered_by_the_reader_alone() -> None:
    asked = Asked(slot=Slot.SYMPTOM, values=("抽搐",))
    assert answered(Status.NEGATIVE, 0.99, "抽搐").answers(asked, {}) == []


def test_what_the_rules_hear_affirmed_is_not_told_as_denied() -> None:
    heard = [SymptomMention(name="咳嗽", text="", status=Status.POSITIVE)]
    [finding] = answered(Status.NEGATIVE, 0.99).findings(normalise("有"), heard)
    assert finding.status is Status.POSITIVE
