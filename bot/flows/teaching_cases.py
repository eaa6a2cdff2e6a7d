"""病例学习: cases are recommended, looked for and read; questions are answered; points are told."""

from backend.security.policy import Role
from bot.cards.teaching_cases import (
    ANSWER,
    CASE,
    FIND,
    HOME,
    POINTS,
    PROPOSE,
    QUESTION,
    QUIZ,
    SIMILAR,
    WEEKLY,
    answered_card,
    case_card,
    found_card,
    home_card,
    points_card,
    propose_choice,
    question_card,
    similar_card,
)
from bot.dialogue import Dialogue, Handler, Turn
from bot.flows.staff_flow import StaffFlow, close
from bot.flows.staff_menus import home as staff_home
from bot.messages import Choice, Menu

_LATEST, _PAGE = 3, 5
_AGAIN = Choice(FIND, "再找一次")


async def close_with_offer(turn: Turn, consultation_id: str, words: str) -> None:
    """End the running flow with `words`, and offer to recommend the case where that can be done now."""
    turn.leave()
    may_propose, _ = await turn.services.teaching_cases.proposal(turn.actor, consultation_id)
    menu = staff_home(turn.actor, words)
    offered = (propose_choice(consultation_id),) if may_propose else ()
    turn.say(Menu(menu.head, (*offered, *menu.choices)))


class FindFlow(StaffFlow):
    """Asks for words, and shows what is found."""

    name = "teaching_find"
    farewell = "好的，不找了。"

    async def begin(self, turn: Turn) -> None:
        turn.say(Menu("想找什么病例？请写症状、疾病或者编码，例如：老人 咳嗽 发热", (Choice(HOME, "不找了"),)))

    async def told(self, turn: Turn, words: str) -> None:
        found = await turn.services.teaching_cases.search(turn.actor, words, limit=_PAGE)
        if found:
            turn.leave()
            turn.say(found_card(f"找到{len(found)}例，最相近的在前面：", found, _AGAIN))
        else:
            turn.say(Menu("没有找到。换个说法再写一次，例如只写症状。", (Choice(HOME, "不找了"),)))


async def propose(turn: Turn, consultation_id: str) -> None:
    """Recommend a case for teaching."""
    state = await turn.services.teaching_cases.propose(turn.actor, consultation_id)
    close(turn, state.told)


async def similar(turn: Turn, consultation_id: str) -> None:
    """Show published cases that are similar to a case; the running flow goes on."""
    found = await turn.services.teaching_cases.similar(turn.actor, consultation_id)
    back = await _way_back(turn, consultation_id)
    turn.say(similar_card(found, back) if found else Menu("病例库里还没有和这例相似的病例。", (back,)))


async def _way_back(turn: Turn, consultation_id: str) -> Choice:
    """Give the way back to the case: to an invitation while it waits, else to what the doctor or the expert sees."""
    is_expert = Role.EXPERT in turn.actor.roles
    offers = await turn.services.consultations.offers_for(turn.actor) if is_expert else []
    if any(one.consultation_id == consultation_id for one in offers):
        return Choice("expert.offers", "返回会诊邀请")
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    verb = "expert.case" if turn.actor.practitioner_id == view.expert_id else "doctor.case"
    return Choice(f"{verb}:{consultation_id}", "返回这例会诊")


async def home(turn: Turn, _argument: str = "") -> None:
    """Show the way to everything of the library."""
    turn.leave()
    library = turn.services.teaching_cases
    latest = await library.search(turn.actor, limit=_LATEST)
    turn.say(home_card(weekly=await library.wants_weekly(turn.actor), latest=latest))


async def _find(turn: Turn, _argument: str) -> None:
    await turn.enter(FindFlow.name)


async def _case(turn: Turn, case_id: str) -> None:
    turn.say(case_card(await turn.services.teaching_cases.read(turn.actor, case_id)))


async def _quiz(turn: Turn, case_id: str) -> None:
    library = turn.services.teaching_cases
    question_id = await library.next_question(turn.actor, case_id)
    if question_id is None:
        turn.say(Menu("这个病例的题您都答过了。", (Choice(f"{CASE}:{case_id}", "看病例"), Choice(POINTS, "我的学分"))))
        return
    await _question(turn, question_id)


async def _question(turn: Turn, question_id: str) -> None:
    turn.say(question_card(*await turn.services.teaching_cases.question(turn.actor, question_id)))


async def _answer(turn: Turn, argument: str) -> None:
    question_id, _, place = argument.partition(":")
    chosen = int(place) if place.isdecimal() else -1
    turn.say(answered_card(await turn.services.teaching_cases.answer(turn.actor, question_id, chosen)))


async def points(turn: Turn, _argument: str = "") -> None:
    """Tell what the actor has learned this year."""
    turn.say(points_card(await turn.services.teaching_cases.own_points(turn.actor)))


async def _weekly(turn: Turn, argument: str) -> None:
    wanted = argument == "on"
    await turn.services.teaching_cases.set_weekly(turn.actor, wanted)
    said = "好的，每周一中午给您发一例。" if wanted else "好的，以后不发了。想看随时发“病例学习”。"
    turn.say(staff_home(turn.actor, said))


def register(dialogue: Dialogue) -> None:
    """Add everything of the case library."""
    dialogue.add_flow(FindFlow())
    actions: dict[str, Handler] = {
        PROPOSE: propose,
        SIMILAR: similar,
        HOME: home,
        FIND: _find,
        CASE: _case,
        QUIZ: _quiz,
        QUESTION: _question,
        ANSWER: _answer,
        POINTS: points,
        WEEKLY: _weekly,
    }
    for verb, handler in actions.items():
        dialogue.on_action(verb, handler)
