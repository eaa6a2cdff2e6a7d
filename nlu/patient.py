"""Whom a message speaks of. The patient, once told, stays who they are until a message says in so many words that it is
somebody else: 我给她量了血压 and 我不知道 speak of who writes, not of who is ill."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nlu.person import KIN, find_relation
from nlu.types import Relation

_CLAUSE = re.compile(r"[^,。!?;]+")
_OF_THE_FAMILY = r"[我俺咱]?(?:们?家)?(?:的|那个?|这个?)?"
_GO_BETWEEN = re.compile(
    rf"{_OF_THE_FAMILY}(?:{KIN})(?:也|都|总|老|一直|刚才|非要|不放心,?)?(?:说|讲|叫|让|帮|替|带|陪|催|劝|要|怕)着?(?=[我俺咱](?!家|们))|"
    rf"[我俺咱]是(?:她|他|老人|病人|患者)家?的?(?:{KIN})"
)
"""Whoever sends, helps or accompanies the patient: 我闺女让我问问, 我是她女儿."""

_NAMED_ANEW = re.compile(
    r"^(?:不对|不是的?|其实|应该|说错了|搞错了|弄错了|病人|患者|生病的人?|不舒服的人?|[我俺]这?| )*"
    r"(?:就?是|帮|给|替|代|为)"
    rf"(?:{_OF_THE_FAMILY}(?P<who>{KIN}|本人)(?!(?:也|都|刚才|昨天)?(?:说|讲|叫|让|给|带|买|告诉|帮|陪|送|量|测|喂|发|拿|开|打))|"
    r"(?P<me>[我俺])(?=自己|本人|不舒服|难受|生病|病了|[ 的了啊呀]*$))"
)
"""A clause that says who the patient is: 是我妈, 其实是我爷爷, 帮我妈问的, 是我自己不舒服."""

_THIRD_PERSON = re.compile("[他她]")
_NOT_THE_WRITER = re.compile(r"不是[我俺](?:自己|本人)?(?=$|[,。!?;])")
_I = re.compile(
    r"^[ 嗯哦]*[我俺咱](?:自己|本人|最近|这几天|这段时间|现在|今天|昨天|一直|总是?|老是?|也|就|的|有点|有些)*$"
)


@dataclass(frozen=True, slots=True)
class Speaking:
    """Whom a message speaks of.

    Args:
        relation: the patient, where the message tells it; ``None`` where it says nothing new of who that is.
        of_others: it names somebody else of the family, whose age and sex are not the patient's.
    """

    relation: Relation | None
    of_others: bool = False


def find_patient(text: str, symptoms_at: Iterable[int], known: Relation | None) -> Speaking:
    """Whom ``text`` speaks of.

    Args:
        text: normalised, less what it says of the illnesses of relatives.
        symptoms_at: where the symptoms that it names begin.
        known: who the patient is, as far as it was told; ``None`` where nobody has said it.
    """
    direct = _GO_BETWEEN.sub(lambda found: " " * len(found.group()), text)
    if known is None:
        return _at_first(text, direct, tuple(symptoms_at))
    anew = next((found for clause in _CLAUSE.finditer(direct) if (found := _NAMED_ANEW.search(clause.group()))), None)
    if anew is not None:
        return _of(find_relation(anew["who"] or anew["me"]), text)
    named = find_relation(direct)
    if known is Relation.SELF and named not in (None, known) and _NOT_THE_WRITER.search(direct):
        return Speaking(named)
    others = any(found not in (None, Relation.SELF, known) for found in (named, find_relation(text)))
    return Speaking(named if named is known else None, of_others=others)


def _at_first(text: str, direct: str, symptoms_at: tuple[int, ...]) -> Speaking:
    """Whom the words speak of where nobody has said yet who the patient is; `direct`: less who goes between."""
    if _of_the_writer(direct, symptoms_at):
        return _of(Relation.SELF, text)
    # 我妈让我问的，她头晕: whoever sent is spoken of.
    return _of(find_relation(text if _THIRD_PERSON.search(direct) else direct), text)


def _of(relation: Relation | None, text: str) -> Speaking:
    return Speaking(relation, of_others=relation is Relation.SELF and find_relation(text) is not Relation.SELF)


def _of_the_writer(text: str, symptoms_at: tuple[int, ...]) -> bool:
    """Whether the first symptom is one that 我 complains of (女儿不在家，我头晕), wherever else the family is named."""
    first = min(symptoms_at, default=None)
    clause = next(
        (one for one in _CLAUSE.finditer(text) if first is not None and one.start() <= first < one.end()), None
    )
    return clause is not None and _I.match(text[clause.start() : first]) is not None
