"""The provider that needs nothing but this process: lexicon, rules and numbers."""

import re
from dataclasses import replace

from data.clinical_language import ClinicalLanguage, clinical_language
from data.intents import SpokenIntents, spoken_intents
from nlu.answers import Answer, answer_to, severity_in_passing
from nlu.course import Course, find_course
from nlu.cues import find_cues
from nlu.examinations import find_examinations
from nlu.facts import CaseFacts
from nlu.family import find_relatives, whose, without, without_others
from nlu.habits import HabitRules
from nlu.intent_model import IntentModel
from nlu.intent_rules import IntentJudge, Signs
from nlu.intents import IntentRules
from nlu.lexicon import Kind, Lexicon, Match
from nlu.measures import Value, find_temperatures, find_vitals
from nlu.normalise import Normalised, normalise
from nlu.operations import find_operations
from nlu.patient import find_patient
from nlu.person import find_age_months, find_pregnancy, find_sex
from nlu.reader import reader
from nlu.reading import JointReading, Seen, read
from nlu.red_flags import assess_red_flags
from nlu.segment import Segmenter, WordBounds
from nlu.statements import find_allergies, find_denials, find_diseases, find_drugs
from nlu.status import assess_status, is_present
from nlu.times import find_durations, find_frequency
from nlu.types import (
    Context,
    Entity,
    Intent,
    Relation,
    Slot,
    Statement,
    Status,
    SymptomMention,
    Understanding,
    Withdrawal,
    YesNo,
)
from nlu.typos import Typos

_CORRECTION = re.compile(r"不是(?P<old>[^,。!?;]{1,12}?)[, 、]*(?:而是|应该是|(?<!不)是|,)(?P<new>[^?]+)")
_MASK = "※"
_RESOLVED = re.compile(r"现在|已经|目前|今天|了$")
_CHILD_BELOW_MONTHS = 36
"""Below three years an age is told in months, weeks or days."""
_POLITE = re.compile(r"(?:好|好的|好吧|行|可以|要得|没问题|ok|同意|收到|知道了)[啊呀吧哦噢呢的了,。!~ ]*")
"""Said to be polite: 好的 to "有没有发烧？" affirms no fever."""
_SAME_DENIAL = {"呼吸困难": ("喘息",), "喘息": ("呼吸困难",), "出冷汗": ("出汗",)}
"""What, denied, denies the other as well: 不喘 is an answer to "喘不上气吗？"."""
_CONVULSION = "抽搐"
_CORRECTING = re.compile(r"(?:说|写|打|填|弄|记|讲)错了|更正|纠正|应该是|不对[, ]|改成|改为|刚才.{0,4}不对")


class EmbeddedProvider:
    """Understands a message on the spot. Building it takes a second or two; a message some two milliseconds."""

    def __init__(
        self,
        language: ClinicalLanguage | None = None,
        intents: SpokenIntents | None = None,
        judge: IntentJudge | None = None,
    ) -> None:
        """Use the shipped data and models unless others are given; ``ModelError`` where a model cannot be used."""
        language = language or clinical_language()
        self._lexicon = Lexicon(language)
        self._habits = HabitRules(language.habits)
        self._segmenter = Segmenter(self._lexicon.words)
        self._typos = Typos(self._lexicon.words, self._segmenter.is_word)
        self._rules = IntentRules(intents or spoken_intents())
        self._judge = judge or IntentModel()
        self._reader = reader()

    async def prepare(self, text: str) -> None:
        """Nothing: ``parse`` waits for nobody."""

    async def parse(self, text: str, context: Context) -> Understanding:
        """What ``text`` says, given ``context``. Never raises for any text; needs no waiting."""
        return self.understand(text, context)

    def understand(self, text: str, context: Context) -> Understanding:
        """``parse`` for callers that are not asynchronous."""
        source = normalise(text)
        if not source.text.strip():
            return Understanding(text="", intent=Intent.OUT_OF_SCOPE, confidence=1.0)
        source = replace(source, text=self._typos.restored(source.text))
        seen = read(self._reader, source, context)
        reading = _Reading(self._lexicon, self._segmenter, self._rules, self._judge, source, context, seen)
        return reading.understanding(self._habits)


class _Reading:
    """One message being read."""

    def __init__(
        self,
        lexicon: Lexicon,
        segmenter: Segmenter,
        rules: IntentRules,
        judge: IntentJudge,
        source: Normalised,
        context: Context,
        seen: Seen,
    ) -> None:
        self.rules, self.judge, self.source, self.context = rules, judge, source, context
        self.text = source.text
        self.lexicon = lexicon
        self.correction = _CORRECTION.search(self.text)
        self.current = self._without_withdrawn()
        asked = context.asked
        self.asked_slots = (asked.slot, *asked.also) if asked else ()
        bounds = WordBounds(segmenter, self.text)
        self.joint = JointReading(seen, lexicon.find(self.text, bounds.is_free), bounds)
        self.matches = self.joint.matches
        self.masked = _masked(self.text, self.matches)
        self.relatives = find_relatives(self.text, self.matches, context.patient_relation)
        self.of_patient = without_others(without(self.text, self.relatives), context.patient_relation)
        self.yes_no = self._yes_no()

    def _without_withdrawn(self) -> str:
        """The text with the value that a correction takes back blanked out, offsets kept."""
        if self.correction is None:
            return self.text
        start, end = self.correction.span("old")
        return self.text[:start] + " " * (end - start) + self.text[end:]

    def _yes_no(self) -> YesNo | None:
        """A bare yes or no; what corrects or denies something else (不是三天, 没发烧) is no answer to the question."""
        asked = self.context.asked
        if self._withdrawn() or (asked is not None and _POLITE.fullmatch(self.text.strip())):
            return None
        if asked is None:
            return self.rules.yes_no(self.text, None)
        first = re.match(r"[,。!?; ]*[^,。!?; ]*", self.text)
        end = first.end() if first else 0
        meant = {*asked.values, *(kin for name in asked.values for kin in _SAME_DENIAL.get(name, ()))}
        named = {m.name for m in self.matches if m.start < end}
        other = bool(named) and not named & meant
        other = other or bool({Slot.DRUGS, Slot.ALLERGIES} & set(find_denials(self.text[:end])))
        return self.rules.yes_no(self.text, asked, names_other=other)

    def understanding(self, habits: HabitRules) -> Understanding:
        """Everything the message says."""
        drugs = self._own("drug")
        diseases = [m for m in self.matches if m.kind == "disease"]
        own = self._own("disease")
        # Where drugs and illnesses are asked for in the same breath, a drug that is named is one that is taken.
        only_allergies = self.context.asked is not None and self.context.asked.slot is Slot.ALLERGIES
        allergies = find_allergies(self.source, drugs, only_allergies)
        mentions = self._mentions(bool(allergies))
        answer = self._answer(mentions)
        temperatures = find_temperatures(self.current)
        vitals, places = find_vitals(self.current, Slot.BLOOD_PRESSURE in self.asked_slots)
        course = find_course(self.current, self.matches, self.asked_slots)
        symptoms_at = [match.start for match in self.matches if match.kind == "symptom"]
        speaking = find_patient(self.of_patient, symptoms_at, self.context.patient_relation)
        allergic_to = {statement.name for statement in allergies}
        draft = Understanding(
            text=self.text,
            intent=Intent.OUT_OF_SCOPE,
            confidence=0.0,
            symptoms=(*mentions, *answer.symptoms),
            temperature=temperatures[-1].value if temperatures else answer.temperature,
            duration=course.duration(answer.duration),
            onset=course.onset[0] if course.onset else None,
            severity=answer.severity or severity_in_passing(self.text),
            frequency=find_frequency(self.text, Slot.FREQUENCY in self.asked_slots),
            vitals=vitals.model_copy(update={k: v for k, v in answer.vitals.items() if getattr(vitals, k) is None}),
            age_months=None if speaking.of_others else self._age_months(),
            sex=answer.sex or (None if speaking.of_others else find_sex(self.of_patient)),
            relation=speaking.relation,
            pregnancy=answer.pregnancy or find_pregnancy(self.text),
            drugs=find_drugs(self.source, [m for m in drugs if m.name not in allergic_to]),
            allergies=allergies,
            diseases=find_diseases(self.source, self.masked, own),
            family=self._family([m for m in diseases if m not in own]),
            cues=find_cues(without(self.current, self.relatives), self.masked),
            examinations=find_examinations(self.source, self.masked, self._own("examination"), own),
            operations=find_operations(self.source, self.masked, self._own("operation")),
            treatments=find_operations(self.source, self.masked, self._own("treatment")),
            habits=habits.find(self.source),
            denies=tuple(dict.fromkeys((*find_denials(self.text), *answer.denies))),
            yes_no=self.yes_no,
            withdrawn=self._withdrawn(),
            command=self.rules.command(self.text),
            entities=self._entities([*temperatures, *places], course),
            findings=self.joint.findings(self.source, answer.symptoms),
        )
        return self._judged(draft)

    def _own(self, kind: Kind) -> list[Match]:
        """What the message names of this kind, less what it says of relatives."""
        return [m for m in self.matches if m.kind == kind and whose(m, self.relatives) is None]

    def _age_months(self) -> int | None:
        return find_age_months(self.current, Slot.AGE in self.asked_slots, self._is_child())

    def _is_child(self) -> bool:
        """Whether the patient is known to be a child."""
        age = self.context.patient_age_months
        return self.context.patient_relation is Relation.CHILD if age is None else age < _CHILD_BELOW_MONTHS

    def _family(self, matches: list[Match]) -> tuple[Statement, ...]:
        """The diseases of relatives, each with whose it is."""
        stated = find_diseases(self.source, self.masked, matches)
        return tuple(
            statement.model_copy(update={"name": f"{whose(match, self.relatives)}{statement.name}"})
            for match, statement in zip(matches, stated, strict=True)
        )

    def _judged(self, draft: Understanding) -> Understanding:
        """The draft with red flags, correction and intent."""
        flags = assess_red_flags(CaseFacts().merge(draft, self.context))
        correction = bool(draft.withdrawn) or _CORRECTING.search(self.text) is not None
        facts = _has_facts(draft) or self._fills_asked(draft)
        signs = Signs(
            symptoms=any(s.status is Status.POSITIVE and not s.past for s in draft.symptoms),
            facts=facts,
            answers=self.context.asked is not None and (facts or draft.yes_no is not None or "正常" in self.text),
            danger=any(flag.level == 1 for flag in flags),
            correction=correction,
            asks_drug=any(drug.status is Status.UNKNOWN for drug in draft.drugs),
            yes_no=draft.yes_no,
            command=draft.command,
            named=self.rules.named(self.text),
        )
        intent, confidence = self.judge.judge(self.text, self.context, signs)
        return draft.model_copy(
            update={
                "red_flags": tuple(flags),
                "correction": correction and facts,
                "intent": intent,
                "confidence": confidence,
            }
        )

    def _fills_asked(self, draft: Understanding) -> bool:
        """Whether the message tells what only counts where it is asked for."""
        told = {Slot.FREQUENCY: draft.frequency, Slot.SEX: draft.sex}
        return any(told.get(slot) is not None for slot in self.asked_slots)

    def _mentions(self, allergy_stated: bool) -> list[SymptomMention]:
        """The symptoms that the message names; 过敏 itself is none where it says to what."""
        mentions = [self._mention(m) for m in self.matches if m.kind == "symptom"]
        if Slot.LOCATION in self.asked_slots and not mentions:
            mentions += [self._mention(m) for m in self.lexicon.find_places(self.text)]
        if allergy_stated or Slot.ALLERGIES in self.asked_slots or Slot.ALLERGIES in find_denials(self.text):
            mentions = [m for m in mentions if m.name != "过敏"]
        return self._one_each(mentions)

    def _one_each(self, mentions: list[SymptomMention]) -> list[SymptomMention]:
        """One mention a name and tense: 咳得厉害，白天不咳 is a cough; only what ended (现在不咳了) ends it."""
        kept: dict[tuple[str, bool], SymptomMention] = {}
        for mention in mentions:
            key = (mention.name, mention.past)
            earlier = kept.get(key)
            if earlier is None or self._supersedes(mention, earlier):
                kept[key] = mention
        return list(kept.values())

    def _supersedes(self, later: SymptomMention, earlier: SymptomMention) -> bool:
        """Whether of two mentions of one symptom the later one counts."""
        if later.status is Status.POSITIVE:
            return earlier.status is not Status.POSITIVE
        if later.status is Status.NEGATIVE and earlier.status is Status.POSITIVE:
            around = self.source.original[max(0, later.start - 6) : later.end + 4]
            return _RESOLVED.search(around.rstrip("。,，!！")) is not None
        return earlier.status is Status.UNKNOWN

    def _mention(self, match: Match) -> SymptomMention:
        assertion = assess_status(self.masked, match.start, match.end)
        status = assertion.status
        if match.negated and status is Status.POSITIVE:
            status = Status.NEGATIVE
        status = self.joint.status(match, status)
        start, end = self.source.span(match.start, match.end)
        past = assertion.past or self._is_history(match)
        return SymptomMention(
            name=match.name,
            text=self.source.original[start:end],
            status=status,
            body_part=match.body_part,
            past=past,
            start=start,
            end=end,
        )

    def _is_history(self, match: Match) -> bool:
        """Whether 抽过风 answers the question for former illnesses; elsewhere it may have happened just now."""
        asked = Slot.PAST_HISTORY in self.asked_slots and "过" in self.text[match.start : match.end]
        return asked and match.name == _CONVULSION and not is_present(self.text)

    def _answer(self, mentions: list[SymptomMention]) -> Answer:
        if self.context.asked is None:
            return Answer()
        mentioned = {m.name: m.status for m in mentions}
        all_of_them = self.rules.says_all(self.text)
        answer = answer_to(self.context.asked, self.text, self.yes_no, all_of_them, mentioned)
        if self.context.asked.slot is Slot.SYMPTOM and self.yes_no is None and not answer.symptoms:
            answer.symptoms = self.joint.answers(self.context.asked, mentioned)
        return answer

    def _withdrawn(self) -> tuple[Withdrawal, ...]:
        """What the old part of a correction names."""
        if self.correction is None:
            return ()
        old = self.correction.group("old")
        withdrawn = [Withdrawal(slot=Slot.TEMPERATURE, value=f"{v.value:g}") for v in find_temperatures(old)]
        withdrawn += [
            Withdrawal(slot=Slot.DURATION, value=duration.text) for duration, _, _ in find_durations(old, asked=True)
        ]
        age = find_age_months(old)
        if age is not None:
            withdrawn.append(Withdrawal(slot=Slot.AGE, value=str(age)))
        start, end = self.correction.span("old")
        withdrawn += [
            Withdrawal(slot=Slot.SYMPTOM, value=m.name)
            for m in self.matches
            if m.kind == "symptom" and start <= m.start and m.end <= end
        ]
        return tuple(withdrawn)

    def _entities(self, values: list[Value], course: Course) -> tuple[Entity, ...]:
        """Every recognised stretch with its place in the original, in order."""
        found: list[tuple[str, str, int, int]] = [(m.kind, m.name, m.start, m.end) for m in self.matches]
        found += [(v.slot.value, f"{v.value:g}", v.start, v.end) for v in values]
        if course.stated is not None:
            found.append(("duration", course.stated[0].text, *course.stated[1:]))
        if course.onset is not None:
            found.append(("onset", course.onset[0], *course.onset[2:]))
        entities = []
        for kind, value, start, end in sorted(found, key=lambda item: item[2]):
            first, last = self.source.span(start, end)
            words = self.source.original[first:last]
            entities.append(Entity(kind=kind, value=value, text=words, start=first, end=last))
        return tuple(entities)


def _masked(text: str, matches: list[Match]) -> str:
    """The text with every match blanked: the 不 in 消化不良 denies nothing that follows."""
    characters = list(text)
    for match in matches:
        characters[match.start : match.end] = _MASK * (match.end - match.start)
    return "".join(characters)


def _has_facts(draft: Understanding) -> bool:
    """Whether the message tells anything about the case."""
    return bool(
        draft.symptoms
        or draft.temperature is not None
        or draft.duration
        or draft.onset
        or draft.vitals.model_dump(exclude_none=True)
        or draft.age_months is not None
        or draft.pregnancy
        or draft.drugs
        or draft.allergies
        or draft.diseases
        or draft.family
        or draft.examinations
        or draft.operations
        or draft.treatments
        or draft.habits
        or draft.denies
        or draft.severity
        or (draft.frequency and draft.symptoms)
    )
