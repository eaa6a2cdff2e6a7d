"""The case library: recommended cases reviewed, published and withdrawn; everybody's points of a year."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from backend.teaching_cases import SECTIONS, CaseState, Points, Question, QuestionText, Reviewed, Tag, year_of
from data.departments import departments
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model, Reason

_PATH = "/console/api/teaching/cases"
_CASE = {"case_id": "A recommended case."}
_Text = Annotated[str, StringConstraints(max_length=10_000)]
_Short = Annotated[str, StringConstraints(max_length=300)]


class TakenItem(Model):
    """What was taken out of a part; masked unless the recogniser guessed."""

    section_name: str
    kind: str
    text: str
    replacement: str
    guessed: bool


class SectionItem(Model):
    """A part of a case."""

    key: str
    name: str
    text: str


class QuestionItem(Model):
    """A question: `right` counts from 0."""

    stem: _Short
    options: list[_Short] = Field(max_length=10)
    right: int
    explanation: _Text
    source: _Short = ""


class LibraryItem(Model):
    """A case in the list."""

    id: str
    number: str
    state: CaseState
    state_name: str
    department_name: str
    title: str
    tags: list[str]
    codes: list[str]
    proposed_at: datetime
    published_at: datetime | None


class LibraryItems(Model):
    """A page; `next_cursor` is empty at the end."""

    items: list[LibraryItem]
    next_cursor: str


class LibraryCase(LibraryItem):
    """A case as its reviewer sees it; `sections` holds every part there is, also those that say nothing."""

    revision: int
    proposed_reason: str
    decision_reason: str
    diseases: list[str]
    sections: list[SectionItem]
    taken: list[TakenItem]
    questions: list[QuestionItem]


class LibraryQuery(Model):
    """Which cases, and which page of them."""

    state: CaseState | None = None
    limit: int = Field(20, ge=1, le=50)
    cursor: Annotated[str, StringConstraints(max_length=32)] = ""


class LibrarySearch(Model):
    """What is looked for among published cases."""

    words: Annotated[str, StringConstraints(max_length=200)] = ""
    tag: Tag | None = None
    icd10: Annotated[str, StringConstraints(max_length=12)] = ""
    department_code: Annotated[str, StringConstraints(max_length=32)] = ""


class Proposal(Model):
    """The number of a consultation, and what can be learned from it."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=24)]
    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class ProposalAnswer(Model):
    """Where it stands now."""

    state: CaseState
    state_name: str


class CaseEdit(Model):
    """A draft as a whole; `sections` by key."""

    revision: int
    title: _Short
    sections: dict[Annotated[str, StringConstraints(max_length=32)], _Text] = Field(max_length=40)
    codes: list[Annotated[str, StringConstraints(max_length=16)]] = Field(max_length=20)
    tags: list[Tag] = Field(max_length=10)
    questions: list[QuestionItem] = Field(max_length=10)


class Revision(Model):
    """Which revision was read."""

    revision: int


class Decision(Revision):
    """Which revision was read, and why it is decided so."""

    reason: Reason


class PointsItem(Model):
    """What somebody has learned in a year."""

    name: str
    institution_name: str
    department_name: str
    answered: int
    right: int
    points: int


class PointsItems(Model):
    """Everybody who has answered, the most points first."""

    year: int
    items: list[PointsItem]


class PointsQuery(Model):
    """Which year; the present one where none is named."""

    year: int | None = Field(None, ge=2020, le=2200)


async def _list(call: ConsoleCall) -> LibraryItems:
    query = call.query
    page = await call.context.teaching_cases.cases(
        call.actor, state=query.state, limit=query.limit, cursor=query.cursor
    )
    return LibraryItems(items=[_item(one) for one in page.items], next_cursor=page.next_cursor)


async def _search(call: ConsoleCall) -> LibraryItems:
    query = call.query
    found = await call.context.teaching_cases.search(
        call.actor,
        query.words,
        tag=query.tag,
        icd10=query.icd10,
        department_code=query.department_code,
        limit=50,
    )
    items = [
        LibraryItem(
            id=one.id,
            number="",
            state=CaseState.PUBLISHED,
            state_name=CaseState.PUBLISHED.label,
            department_name=departments()[one.department_code].name,
            title=one.content.title,
            tags=list(one.content.tags),
            codes=list(one.content.codes),
            proposed_at=one.published_at,
            published_at=one.published_at,
        )
        for one in found
    ]
    return LibraryItems(items=items, next_cursor="")


async def _propose(call: ConsoleCall) -> ProposalAnswer:
    state = await call.context.teaching_cases.propose_by_number(call.actor, call.body.number, call.body.reason)
    return ProposalAnswer(state=state, state_name=state.label)


async def _case(call: ConsoleCall) -> LibraryCase:
    return _shown(await call.context.teaching_cases.review(call.actor, call.path["case_id"]))


async def _edit(call: ConsoleCall) -> LibraryCase:
    wanted = call.body
    return _shown(
        await call.context.teaching_cases.edit(
            call.actor,
            call.path["case_id"],
            revision=wanted.revision,
            title=wanted.title,
            sections=wanted.sections,
            codes=wanted.codes,
            tags=wanted.tags,
            questions=[
                QuestionText(one.stem, tuple(one.options), one.right, one.explanation, one.source)
                for one in wanted.questions
            ],
        )
    )


async def _publish(call: ConsoleCall) -> LibraryCase:
    library = call.context.teaching_cases
    return _shown(await library.publish(call.actor, call.path["case_id"], revision=call.body.revision))


async def _reject(call: ConsoleCall) -> LibraryCase:
    body, library = call.body, call.context.teaching_cases
    case_id = call.path["case_id"]
    return _shown(await library.reject(call.actor, case_id, revision=body.revision, reason=body.reason))


async def _withdraw(call: ConsoleCall) -> LibraryCase:
    body, library = call.body, call.context.teaching_cases
    case_id = call.path["case_id"]
    return _shown(await library.withdraw(call.actor, case_id, revision=body.revision, reason=body.reason))


async def _reopen(call: ConsoleCall) -> LibraryCase:
    library = call.context.teaching_cases
    return _shown(await library.reopen(call.actor, call.path["case_id"], revision=call.body.revision))


async def _points(call: ConsoleCall) -> PointsItems:
    return PointsItems(year=_year(call), items=await _points_of(call))


async def _export(call: ConsoleCall) -> File:
    headings = ("年份", "姓名", "机构", "科室", "答题", "答对", "学分")
    year = _year(call)
    rows = [(year, *vars(one).values()) for one in await _points_of(call)]
    return csv_file(f"学分{year}.csv", headings, rows)


def _year(call: ConsoleCall) -> int:
    year: int | None = call.query.year
    return year or year_of(call.context.clock.now())


async def _points_of(call: ConsoleCall) -> list[PointsItem]:
    found: list[Points] = await call.context.teaching_cases.points(call.actor, _year(call))
    people = await call.context.people.practitioners_by_id([one.practitioner_id for one in found])
    return [
        PointsItem(
            name=people[one.practitioner_id].name,
            institution_name=people[one.practitioner_id].institution_name,
            department_name=people[one.practitioner_id].department_name,
            answered=one.answered,
            right=one.right,
            points=one.points,
        )
        for one in found
        if one.practitioner_id in people
    ]


def _item(one: Reviewed) -> LibraryItem:
    return LibraryItem(
        id=one.id,
        number=one.number,
        state=one.state,
        state_name=one.state.label,
        department_name=departments()[one.department_code].name,
        title=one.content.title,
        tags=list(one.content.tags),
        codes=list(one.content.codes),
        proposed_at=one.proposed_at,
        published_at=one.published_at,
    )


def _shown(one: Reviewed) -> LibraryCase:
    sections = one.content.sections
    return LibraryCase(
        **vars(_item(one)),
        revision=one.revision,
        proposed_reason=one.proposed_reason,
        decision_reason=one.decision_reason,
        diseases=list(one.content.diseases),
        sections=[SectionItem(key=key, name=name, text=sections.get(key, "")) for key, name in SECTIONS.items()],
        taken=[
            TakenItem(
                section_name=SECTIONS[taken.section],
                kind=taken.kind,
                text=taken.text,
                replacement=taken.replacement,
                guessed=taken.guessed,
            )
            for taken in one.taken
        ],
        questions=[_question(question) for question in one.questions],
    )


def _question(question: Question) -> QuestionItem:
    text = question.text
    return QuestionItem(
        stem=text.stem,
        options=list(text.options),
        right=text.right,
        explanation=text.explanation,
        source=text.source,
    )


ENDPOINTS = (
    ConsoleEndpoint("GET", _PATH, "libraryCases", "Recommended cases", _list, LibraryItems, query=LibraryQuery),
    ConsoleEndpoint(
        "GET",
        "/console/api/teaching/search",
        "searchLibrary",
        "Published cases by words, tag, code and department",
        _search,
        LibraryItems,
        query=LibrarySearch,
    ),
    ConsoleEndpoint(
        "POST",
        _PATH,
        "proposeCase",
        "Recommend a consultation",
        _propose,
        ProposalAnswer,
        body=Proposal,
        status=201,
        refusals={404: "No consultation has this number."},
    ),
    ConsoleEndpoint(
        "GET", f"{_PATH}/{{case_id}}", "libraryCase", "One case", _case, LibraryCase, path_parameters=_CASE
    ),
    ConsoleEndpoint(
        "PUT",
        f"{_PATH}/{{case_id}}",
        "editCase",
        "Change a draft",
        _edit,
        LibraryCase,
        body=CaseEdit,
        path_parameters=_CASE,
    ),
    *(
        ConsoleEndpoint(
            "POST",
            f"{_PATH}/{{case_id}}/{name}",
            operation,
            title,
            handler,
            LibraryCase,
            body=body,
            path_parameters=_CASE,
        )
        for name, operation, title, handler, body in (
            ("publication", "publishCase", "Publish a draft", _publish, Revision),
            ("rejection", "rejectCase", "Leave a draft out", _reject, Decision),
            ("withdrawal", "withdrawCase", "Withdraw a published case", _withdraw, Decision),
            ("draft", "reopenCase", "Make a draft of it again", _reopen, Revision),
        )
    ),
    ConsoleEndpoint(
        "GET",
        "/console/api/teaching/points",
        "learningPoints",
        "Everybody's points of a year",
        _points,
        PointsItems,
        query=PointsQuery,
    ),
    ConsoleEndpoint(
        "GET",
        "/console/api/teaching/points/export",
        "exportPoints",
        "The same as a table",
        _export,
        File,
        query=PointsQuery,
        media_type=CSV,
    ),
)
