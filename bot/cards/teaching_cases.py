"""Cases of the library in a chat: one in a line, in full, what is similar, a question and its answer, points."""

from collections.abc import Collection

from backend.teaching_cases import SECTIONS, Answered, Points, Published, Question, Similar
from bot.messages import Choice, Menu, Notice
from bot.wording import clip, lines

LETTERS = "ABCDE"
CASE, QUIZ, QUESTION, ANSWER = "teaching.case", "teaching.quiz", "teaching.question", "teaching.answer"
HOME, FIND, POINTS, WEEKLY = "teaching.home", "teaching.find", "teaching.points", "teaching.weekly"
PROPOSE, SIMILAR = "teaching.propose", "teaching.similar"
_LONGEST_LINE = 16
_BACK = Choice(HOME, "病例学习")


def similar_choice(consultation_id: str) -> Choice:
    """Give the answer that looks for similar cases."""
    return Choice(f"{SIMILAR}:{consultation_id}", "类似病例")


def propose_choice(consultation_id: str) -> Choice:
    """Give the answer that recommends a case."""
    return Choice(f"{PROPOSE}:{consultation_id}", "推荐为教学病例")


def case_choice(case: Published) -> Choice:
    """Give a case as an answer to tap."""
    return Choice(f"{CASE}:{case.id}", clip(case.content.title, _LONGEST_LINE))


def case_card(case: Published) -> Menu:
    """Give a case in full, with the way to its questions."""
    content = case.content
    marks = "、".join(tag.label for tag in content.tags)
    parts = [f"【{name}】{content.sections[key]}" for key, name in SECTIONS.items() if key in content.sections]
    words = lines(
        f"病例：{content.title}",
        f"标签：{marks}" if marks else "",
        f"疾病：{'；'.join(content.diseases)}" if content.diseases else "",
        *parts,
        "来源：本平台已结束的会诊，患者已同意，身份信息已去掉。",
    )
    quiz = (Choice(f"{QUIZ}:{case.id}", f"做题（{len(case.questions)}道）"),) if case.questions else ()
    return Menu(words, (*quiz, _BACK))


def found_card(head: str, cases: Collection[Published], *more: Choice) -> Menu:
    """Give cases that were found."""
    listed = [f"· {one.content.title}" for one in cases]
    return Menu(lines(head, *listed), (*map(case_choice, cases), *more, _BACK))


def similar_card(found: Collection[Similar], back: Choice) -> Menu:
    """Give similar cases, each with what they share."""
    told = [lines(f"{one.case.content.title}", *(f"　{reason}" for reason in one.reasons)) for one in found]
    head = "病例库里和这例相似的（只供参考，这位患者的情况以您的判断为准）："
    return Menu(lines(head, *told), (*(case_choice(one.case) for one in found), back))


def question_card(question: Question, case_id: str) -> Menu:
    """Give a question with its options."""
    text = question.text
    options = [f"{letter}. {option}" for letter, option in zip(LETTERS, text.options, strict=False)]
    answers = [Choice(f"{ANSWER}:{question.id}:{place}", LETTERS[place]) for place in range(len(text.options))]
    return Menu(lines(text.stem, *options), (*answers, Choice(f"{CASE}:{case_id}", "再看病例")))


def answered_card(answered: Answered) -> Menu:
    """Give what came of an answer, why, and where it can be read."""
    text = answered.question.text
    right = f"{LETTERS[text.right]}. {text.options[text.right]}"
    head = "答对了！" if answered.is_right else f"不对。正确的是：{right}"
    points = f"记{answered.points}分。" if answered.is_first else f"这道题您以前答过，按第一次的{answered.points}分算。"
    words = lines(head, f"解析：{text.explanation}", f"出处：{text.source}" if text.source else "", points)
    following = (Choice(f"{QUESTION}:{answered.next_id}", "下一题"),) if answered.next_id else ()
    return Menu(words, (*following, Choice(f"{CASE}:{answered.case_id}", "看病例"), Choice(POINTS, "我的学分")))


def points_card(points: Points) -> Menu:
    """Give what somebody has learned in a year."""
    words = lines(
        f"{points.year}年您答了{points.answered}道题，答对{points.right}道，学分{points.points}分。",
        "答对一道记2分，答错记1分，每道题只算第一次。",
        "这是本平台的学习记录，不是继续医学教育学分。",
    )
    return Menu(words, (_BACK,))


def home_card(*, weekly: bool, latest: Collection[Published]) -> Menu:
    """Give the way to everything of the library."""
    switch = Choice(f"{WEEKLY}:off", "不再每周推送") if weekly else Choice(f"{WEEKLY}:on", "每周推送一例")
    head = "病例学习：点下面看最近的病例，也可以找病例。" if latest else "病例库里还没有病例。有了会告诉您。"
    return Menu(head, (*map(case_choice, latest), Choice(FIND, "找病例"), Choice(POINTS, "我的学分"), switch))


def weekly_card(case: Published, notice: Notice) -> Menu:
    """Give the case of the week."""
    head = lines(
        "本周病例：",
        case.content.title,
        case.content.sections.get("present_illness", ""),
        "您会怎么考虑？看完病例，还有小题可以答。" if case.questions else "点下面看完整的病例。",
    )
    return Menu(
        head,
        (Choice(f"{CASE}:{case.id}", "看病例"), Choice(f"{WEEKLY}:off", "不再每周推送")),
        notice=notice,
    )
