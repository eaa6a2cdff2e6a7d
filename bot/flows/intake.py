"""The pre-consultation: free words become facts, one question at a time, until the record can be shown."""

import re
from dataclasses import replace
from datetime import timedelta

from bot.dialogue import Dialogue, Turn
from bot.flows import assistance, consent, my
from bot.flows.intake_names import name_in
from bot.flows.intake_questions import (
    NAME,
    RATHER_NOT,
    WHO,
    WHO_IS,
    ask,
    choose,
    is_open,
    know_the_patient,
    know_the_relative,
    repeat,
    waits_for,
)
from bot.flows.intake_state import LONGEST_WORDS, MAX_PICTURES, Intake
from bot.flows.wording import remembered, told
from bot.flows.words import put_back
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import elapsed, lines
from nlu.facts import CaseFacts
from nlu.types import Command, Intent, Status, Understanding, Vitals, YesNo
from nlu.wording import OPENING

RESUME_AFTER = timedelta(hours=6)
"""After a pause of this length, words may be about another illness, so the bot asks before it mixes the two."""

_WHY = re.compile(r"(为什么|为啥|为何|干嘛|干吗|咋)(要|还要|总)?(问|知道)|问这个?(干|做)")
_TELLING = (Intent.DESCRIBE_SYMPTOMS, Intent.ANSWER)
_MAX_MISSES = 2
_MOST_AGAIN = 1
_MOST_AGAIN_FOR_DANGER = 2
"""How often a question that was passed over is put again; one about danger signs more often."""

_PASSED_OVER = ("没关系，这一题先不答。", "好的，不清楚也没关系。", "没关系，我们接着说。")
"""What is said to 不知道, in turn: the same words again and again sound like nobody listens."""

_FIRST_ANSWERABLE = 2
_WAYS_OUT = "可以点，也可以直接告诉我。说错了就说“返回”，不想答就说“跳过”。"
_RESUMING = (Choice("patient.continue", "接着说"), Choice("patient.restart", "重新开始"))


class IntakeFlow:
    """Asks, listens and keeps; hands over to `review` when nothing is left to ask."""

    name = "intake"

    async def begin(self, turn: Turn) -> None:
        """Ask what is wrong; `greeting` in the data comes first."""
        intake = Intake(touched_at=turn.services.clock.now())
        greeting = turn.state.data.pop("greeting", "")
        await advance(turn, intake, greeting)

    async def receive(self, turn: Turn) -> None:
        """Answer one message."""
        intake = Intake.of(turn)
        if intake is None:
            await self.begin(turn)
        elif take_enclosure(turn, intake):
            pass
        elif turn.incoming.kind is Kind.TAP and turn.incoming.item_id.startswith("answer:"):
            await _take_tap(turn, intake)
        elif turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
            repeat(turn, intake, not_words(turn))
        elif not away_too_long(turn, intake):
            await _take_words(turn, intake)


async def advance(turn: Turn, intake: Intake, before: str = "") -> None:
    """Ask the next question, or show the record when none is left; `before` are the words that come first."""
    await know_the_patient(turn, intake)
    question = choose(intake)
    intake.put_question(question)
    if question is None:
        intake.save(turn)
        await turn.enter("review", **turn.data, before=before)
        return
    # The first question after the complaint is the only one that explains the ways out.
    ask(turn, intake, question, before, _WAYS_OUT if len(intake.asked) == _FIRST_ANSWERABLE else "")


async def _take_words(turn: Turn, intake: Intake) -> None:
    said = await turn.understand(intake.context)
    if await _steer(turn, intake, said):
        return
    answer = None if is_clinical(said) or _is_offered(turn, intake) else await assistance.digression(turn, said)
    if answer is not None:
        repeat(turn, intake, answer)
        return
    if waits_for(intake, NAME):
        await _take_name(turn, intake, said)
    elif waits_for(intake, WHO):
        await _take_who(turn, intake, said)
    else:
        await _take_answer(turn, intake, said)


def _is_offered(turn: Turn, intake: Intake) -> bool:
    """Whether the words are an answer that the waiting question offers: then they are that, and nothing else."""
    return intake.question is not None and turn.text in intake.question.quick_answers


def _asks_for_their_cases(turn: Turn, intake: Intake, said: Understanding) -> bool:
    asks = assistance.wants(Intent.MY_CONSULTATIONS, said)
    return asks and not is_clinical(said) and not _is_offered(turn, intake)


async def _take_answer(turn: Turn, intake: Intake, said: Understanding) -> None:
    before = intake.facts
    intake.remember_step()
    intake.absorb(said, turn.text)
    if _missed(intake, before, said):
        intake.steps.pop()
        await _ask_again_or_quote(turn, intake, said)
        return
    tapped = turn.incoming.kind is Kind.TAP
    echo = "" if tapped else told(before, intake.facts, said) or _heard_family(before, intake.facts)
    asked = None if tapped else assistance.for_the_doctor(turn.text, said)
    if asked is not None:
        echo = lines(echo, assistance.answer_to(turn, asked))
        if is_open(intake):
            repeat(turn, intake, echo)
            return
    if not tapped and is_open(intake) and intake.put_again < _limit(intake):
        intake.put_again += 1  # they told something else, which is good; the question is put again
        heard = echo or ("好的，记下了。" if _learnt(intake, before) else "")
        repeat(turn, intake, lines(heard, _urging(intake, said)) or "不知道的话，就说“不知道”。")
        return
    await advance(turn, intake, echo)


async def _ask_again_or_quote(turn: Turn, intake: Intake, said: Understanding) -> None:
    """Say that the words were not understood; the second time keep them for the doctor and go on.

    Words that seem to tell of the illness are kept at once: what comes next may be about something else.
    """
    intake.misses += 1
    if intake.misses < _MAX_MISSES:
        intake.missed = turn.text[:LONGEST_WORDS]
        if said.intent in _TELLING and any(character.isalpha() for character in intake.missed):
            intake.unread.append(intake.missed)
        repeat(turn, intake, "不好意思，我没太听明白。")
        return
    intake.remember_step()
    intake.unread += [
        words for words in (intake.missed, turn.text[:LONGEST_WORDS]) if words not in ("", *intake.unread)
    ]
    await advance(turn, intake, "没关系，您的原话我记下了，会给医生看。")


def _limit(intake: Intake) -> int:
    return _MOST_AGAIN_FOR_DANGER if intake.question is not None and intake.question.danger else _MOST_AGAIN


def _urging(intake: Intake, said: Understanding) -> str:
    """What is said before a question that was passed over is put again, besides what was heard."""
    if said.yes_no is YesNo.YES:
        return "请说说具体是什么。"
    if intake.put_again == _MOST_AGAIN_FOR_DANGER:
        return "下面这一题要紧，说有、没有、不知道都行。"
    return ""


def _heard_family(before: CaseFacts, after: CaseFacts) -> str:
    new = [one.name for one in after.family if one not in before.family]
    return f"好的，记下了：{'、'.join(new)}。" if new else ""


def _missed(intake: Intake, before: CaseFacts, said: Understanding) -> bool:
    """Tell whether the words gave nothing: no new fact, and no answer to the question."""
    if said.yes_no is not None and not _is_opening(intake):
        return False
    return not _learnt(intake, before) and not is_clinical(said)


def _learnt(intake: Intake, before: CaseFacts) -> bool:
    """Whether anything new is known; that 我 speaks of the writer is not worth a word."""
    return intake.facts != before.model_copy(update={"relation": intake.facts.relation, "cues": intake.facts.cues})


def _is_opening(intake: Intake) -> bool:
    return intake.question is not None and intake.question.id == OPENING


async def _take_who(turn: Turn, intake: Intake, said: Understanding) -> None:
    relation = WHO_IS.get(turn.text) or said.relation
    before = intake.facts
    intake.remember_step()
    intake.absorb(said, turn.text)
    if relation is None and intake.misses + 1 < _MAX_MISSES:
        intake.steps.pop()
        intake.misses += 1
        # Perhaps they go on telling what is wrong: that is taken in, and it is asked again who it is.
        repeat(turn, intake, told(before, intake.facts, said) or "不好意思，我没太听明白。")
        return
    if relation is not None:
        intake.facts = intake.facts.model_copy(update={"relation": relation})
    await advance(turn, intake, told(before, intake.facts, said) or "好的。")


async def _take_name(turn: Turn, intake: Intake, said: Understanding) -> None:
    words = turn.text.strip("。，,. ")
    if words in (*NAME.quick_answers, "不说", "不想说", "保密"):
        intake.remember_step()
        intake.name = RATHER_NOT
        await advance(turn, intake)
        return
    before = intake.facts
    name, refusal = name_in(words, said)
    if name is None and is_clinical(said):
        intake.remember_step()
        intake.absorb(said, turn.text)
        refusal = told(before, intake.facts, said) or "好的，记下了。"
    if name is None and intake.misses + 1 < _MAX_MISSES:
        intake.misses += 1
        repeat(turn, intake, refusal)
        return
    intake.remember_step()
    if name is not None:
        intake.absorb(said, "")  # 王秀英，67岁 answers more than was asked
    intake.name = name or RATHER_NOT
    await know_the_relative(turn, intake)
    await advance(turn, intake, "" if name else "好的，名字先不写。")


async def _take_tap(turn: Turn, intake: Intake) -> None:
    """A tapped answer: to the present question, or to an earlier one, which corrects it."""
    question_id = turn.incoming.item_id.removeprefix("answer:").rpartition(":")[0]
    if intake.question is not None and question_id == intake.question.id:
        await _take_words(turn, intake)
        return
    earlier = intake.earlier_question(question_id)
    if earlier is None or earlier.id in (WHO.id, NAME.id):
        repeat(turn, intake, "这一题已经过去了。要改，请直接告诉我。")
        return
    context = intake.context_of(turn.incoming.item_id)
    said = await turn.understand(context)
    before = intake.facts
    intake.remember_step()
    intake.absorb(said, turn.text, context)
    repeat(turn, intake, told(before, intake.facts, said) or "好的，记下了。")


async def _steer(turn: Turn, intake: Intake, said: Understanding) -> bool:
    """Follow a short steering word; False where the words are none."""
    command = said.command
    if command is Command.BACK:
        went = intake.go_back()
        repeat(turn, intake, "好的，退回一步。" if went else "已经是第一步了。")
    elif command is Command.RESTART:
        await _restart(turn, "")
    elif intake.question is not None and (command is Command.WHY or _WHY.match(turn.text)):
        repeat(turn, intake, intake.question.why)
    elif command is Command.CANCEL:
        intake.save(turn)
        turn.say(
            Menu("好的。您说的我先帮您留着，想接着说随时可以。", (*_RESUMING, Choice("patient.drop", "删掉不要了")))
        )
    elif _asks_for_their_cases(turn, intake, said):
        intake.save(turn)
        await my.show(turn)
    elif command is Command.SKIP or said.yes_no is YesNo.DONT_KNOW or assistance.wants(Intent.DONT_KNOW, said):
        await _skip(turn, intake, said)
    else:
        return False
    return True


async def _skip(turn: Turn, intake: Intake, said: Understanding) -> None:
    if _is_opening(intake) and not intake.missed:
        repeat(turn, intake, "没关系，想到什么说什么就行。比如“头晕两天了”“肚子疼”。")
        return
    intake.remember_step()
    if _is_opening(intake) and intake.missed not in intake.unread:  # all that there is: the doctor reads it
        intake.unread.append(intake.missed)
    if waits_for(intake, NAME):
        intake.name = RATHER_NOT
    intake.absorb(said, turn.text)
    await advance(turn, intake, _PASSED_OVER[len(intake.asked) % len(_PASSED_OVER)])


def take_enclosure(turn: Turn, intake: Intake) -> bool:
    """Keep a picture or a location; False where the message is neither."""
    incoming = turn.incoming
    if incoming.kind is Kind.IMAGE and incoming.file_id:
        if len(intake.pictures) >= MAX_PICTURES:
            repeat(turn, intake, f"照片最多收{MAX_PICTURES}张，已经够了。")
            return True
        if incoming.file_id not in intake.pictures:
            intake.pictures.append(incoming.file_id)
        repeat(
            turn, intake, f"照片收到了（共{len(intake.pictures)}张），我会一起交给医生。是化验单就说一声“这是化验单”。"
        )
        return True
    if incoming.kind is Kind.LOCATION and incoming.location is not None:
        intake.place = (incoming.location.latitude, incoming.location.longitude)
        repeat(turn, intake, "位置收到了，等会儿帮您找近的卫生院。")
        return True
    return False


def away_too_long(turn: Turn, intake: Intake) -> bool:
    """After a long pause, hold the words of this message back and ask which illness they belong to.

    Returns:
        True where it was asked; False where the pause was short, or nothing had been told that could be mixed up.
    """
    away = turn.services.clock.now() - intake.touched_at
    known = remembered(intake.facts)
    if away <= RESUME_AFTER or not known:
        return False
    intake.held = turn.text
    intake.save(turn)
    turn.say(
        Menu(
            f"您回来了。{elapsed(away)}，您说到：{known}。\n现在是接着说这件事，还是有了新的不舒服？",
            (Choice("patient.continue", "接着说"), Choice("patient.restart", "新的不舒服")),
        )
    )
    return True


def is_clinical(said: Understanding) -> bool:
    """Tell whether a message says something about an illness, whatever else it says."""
    return bool(
        said.symptoms
        or said.diseases
        or said.family
        or said.examinations
        or said.operations
        or said.treatments
        or said.habits
        or said.drugs
        or said.allergies
        or said.denies
        or said.withdrawn
        or said.temperature is not None
        or (said.duration is not None and not assistance.REPROACH.search(said.text))
        or said.vitals != Vitals()
    )


def asks_only(text: str, said: Understanding) -> bool:
    """Tell whether a message only asks what a doctor has to answer (要不要打针) and tells nothing of an illness."""
    rest = {
        "drugs": tuple(one for one in said.drugs if one.status is not Status.UNKNOWN),
        "diseases": tuple(one for one in said.diseases if one.status is not Status.UNKNOWN),
        "treatments": (),
        "operations": (),
    }
    return assistance.for_the_doctor(text, said) is not None and not is_clinical(said.model_copy(update=rest))


def not_words(turn: Turn) -> str:
    """What to say to a message in which there is nothing to read."""
    if turn.incoming.kind is Kind.VOICE:
        return "不好意思，这段话我没听清。请再说一遍，或者打字告诉我。"
    if turn.incoming.kind is Kind.IMAGE:
        return "不好意思，照片没收到。请再发一次。"
    if turn.incoming.kind in (Kind.TAP, Kind.CLICK):
        return "这个已经过去了。"
    return "不好意思，这个我看不了。请打字、说话，或者发照片。"


def register(dialogue: Dialogue) -> None:
    """Add the intake and the ways into it, through it and out of it."""
    dialogue.add_flow(IntakeFlow())
    dialogue.on_action("patient.start", _start)
    dialogue.on_action("patient.continue", _continue)
    dialogue.on_action("patient.restart", _restart)
    dialogue.on_action("patient.drop", _drop)


async def start(turn: Turn, greeting: str = "") -> None:
    """Begin an intake, after consent; one that has begun is not thrown away unasked."""
    if not await consent.require_consent(turn):
        return
    intake = Intake.of(turn)
    if intake is not None and (intake.words or intake.flags or intake.pictures):
        known = remembered(intake.facts)
        where = f"您上次说到：{known}。" if known else "您上次还没说完。"
        turn.say(Menu(f"{where}要接着说吗？", _RESUMING))
    else:
        await turn.enter("intake", greeting=greeting)


async def _start(turn: Turn, _argument: str) -> None:
    await start(turn)


async def _continue(turn: Turn, _argument: str) -> None:
    put_back(turn)
    intake = Intake.of(turn)
    if intake is None:
        await start(turn)
        return
    words, intake.held = intake.held, ""
    intake.save(turn)
    if words:
        await _hear(turn, words)
    elif turn.state.flow != "intake":
        await turn.enter(turn.state.flow, **turn.data)
    elif intake.question is not None:
        repeat(turn, intake, "好的，接着来。")
    else:
        await advance(turn, intake, "好的，接着来。")


async def _restart(turn: Turn, _argument: str) -> None:
    if not await consent.require_consent(turn):
        return
    before = Intake.of(turn)
    await turn.enter("intake", greeting="好的，我们从头来。")
    if before is None:
        return
    if before.held:
        turn.replies.clear()
        await _hear(turn, before.held)
    elif before.flags and (intake := Intake.of(turn)):  # the same illness told anew: its dangers are not forgotten
        intake.add_flags(tuple(before.flags))
        intake.save(turn)


async def _drop(turn: Turn, _argument: str) -> None:
    turn.leave()
    turn.say("好的，都删掉了。以后哪里不舒服，直接告诉我就行。")


async def _hear(turn: Turn, words: str) -> None:
    """Answer `words` that were held back as if they had come now."""
    await turn.forward(replace(turn.incoming, kind=Kind.TEXT, text=words, item_id=""))
