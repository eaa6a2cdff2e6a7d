"""Writing a prescription in chat: find a medicine, take the proposed dose or say another, answer warnings, sign.

Every answer is kept in the draft at once, the same that the page shows: one can go on there and come back here.
"""

from typing import Any

from backend.errors import Conflict, DomainError, Forbidden, InvalidInput
from backend.prescription import (
    Finding,
    FindingsLeft,
    PrescriptionView,
    State,
    read_line,
    stored_line,
)
from bot.cards.prescription import FACTS, WRITE, draft_blocks, finding_text, writing_card
from bot.dialogue import Dialogue, Turn
from bot.flows.coding import disease_choices
from bot.flows.pages import last_page, paged
from bot.flows.prescribing_medicine import MedicineInHand
from bot.flows.prescription_questions import ask, keep_answer, open_question
from bot.flows.staff_flow import close, ending_if_refused
from bot.messages import Choice, Menu
from bot.wording import clip, lines

_FOUND = 8
_LONGEST_CHOICE = 16
_ASK_SEARCH = "请发药名，也可以只发拼音首字母，比如 amxl（阿莫西林）。"
_LEAVE = Choice("rx.leave", "先放着")
_ON_PAGE = Choice("rx.page", "在网页上写")


class PrescribeFlow(MedicineInHand):
    """Data: `consultation_id`, `prescription_id`, `patient`, `step`; `found`: codes of the last search; `line`, `why`,
    `index`: the medicine in hand, where its dose is from, and its place where it has one; `rule`, `subject`: the
    warning that a reason is asked for; `revision` of what was read back.
    """

    name = "prescribe"
    farewell = "好的，写好的都存着。再点“开处方”就能接着写。"

    async def begin(self, turn: Turn) -> None:
        view = await turn.services.prescriptions.draft(turn.actor, turn.data["consultation_id"])
        case = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        turn.data.update(prescription_id=view.id, patient=case.patient_name or "患者")
        await self._go_on(turn, view, f"药师退回：{view.return_reason}" if view.return_reason else "")

    async def _go_on(self, turn: Turn, view: PrescriptionView, said: str = "") -> None:
        """Ask what every prescription needs and does not have yet, then for medicines."""
        if not view.diagnoses:
            turn.data["step"] = "diagnosis"
            words = "先写诊断：请发病名或者编码，比如 急性支气管炎，或者 J20.9。"
            turn.say(Menu(lines(said, words), (_LEAVE,)))
        elif view.in_person is None:
            turn.data["step"] = "presence"
            words = "现在有医生在患者身边吗？（网上不能给第一次看病的人开药，所以要问一句）"
            choices = (Choice("presence:yes", "有，当面看着"), Choice("presence:no", "没有"), _LEAVE)
            turn.say(Menu(lines(said, words), choices))
        elif view.lines:
            await self._overview(turn, view, said)
        else:
            self._search(turn, said, first=True)

    async def _take_presence(self, turn: Turn, answer: str) -> None:
        with ending_if_refused(turn):
            view = await turn.services.prescriptions.write(
                turn.actor, turn.data["prescription_id"], in_person=answer == "yes"
            )
        await self._go_on(turn, view)

    async def _ask_presence(self, turn: Turn, _words: str) -> None:
        await self._go_on(turn, await self._draft(turn), "请点下面的一项。")

    async def told(self, turn: Turn, words: str) -> None:
        await _TOLD.get(turn.data["step"], PrescribeFlow._look_up)(self, turn, words)

    async def tapped(self, turn: Turn, item_id: str) -> None:
        verb, _, argument = item_id.partition(":")
        if (verb in _OF_A_MEDICINE and "line" not in turn.data) or (verb in _OF_A_PLACE and not self._has_place(turn)):
            await self._show(turn)  # a button of a medicine that is not in hand any more
        elif verb in _WITH_ARGUMENT:
            await _WITH_ARGUMENT[verb](self, turn, argument)
        elif verb in _WORDS:
            await self.told(turn, turn.text)
        elif item_id in _TAPS:
            await _TAPS[item_id](self, turn)
        else:
            await super().tapped(turn, item_id)

    def _has_place(self, turn: Turn) -> bool:
        return turn.data.get("index") is not None and turn.data["step"] in ("line", "stopped")

    def _search(self, turn: Turn, said: str = "", *, first: bool = False) -> None:
        turn.data["step"] = "search"
        ways = [Choice("rx.last", "照上次开"), Choice("rx.templates", "用模板"), _ON_PAGE] if first else []
        back = _LEAVE if first else Choice("rx.overview", "返回处方")
        turn.say(Menu(lines(said, _ASK_SEARCH), (*ways, back)))

    async def _search_again(self, turn: Turn) -> None:
        self._search(turn)

    async def _look_up(self, turn: Turn, words: str) -> None:
        known = turn.data.get("found", [])
        if words.isdecimal() and 0 < int(words) <= len(known):
            await self._pick(turn, known[int(words) - 1])
            return
        found = turn.services.prescriptions.formulary.search(words, _FOUND)
        turn.data.update(step="search", found=[one.code for one in found])
        if not found:
            self._search(turn, f"没有找到“{clip(words, 12)}”。换个名字试试，或者只发前两个字。")
            return
        listed = [f"{number}. {one.label}" for number, one in enumerate(found, 1)]
        choices = [
            Choice(f"pick:{one.code}", clip(f"{number}. {one.name}", _LONGEST_CHOICE))
            for number, one in enumerate(found, 1)
        ]
        turn.say(
            Menu(lines("是哪一种？点一下，或者发前面的数字：", *listed), (*choices, Choice("rx.overview", "返回处方")))
        )

    async def _pick(self, turn: Turn, code: str) -> None:
        with ending_if_refused(turn):
            proposal = await turn.services.prescriptions.proposal(turn.actor, turn.data["prescription_id"], code)
        turn.data.update(line=stored_line(proposal.line), why=proposal.why, index=None)
        await self._propose(turn)

    async def _accept(self, turn: Turn) -> None:
        """Put the medicine in hand into the prescription, and meet what the checks find of it."""
        if turn.data["step"] != "line":
            await self._show(turn)
            return
        line, index = read_line(turn.data["line"]), turn.data["index"]
        try:
            with ending_if_refused(turn):
                view = await turn.services.prescriptions.put_line(turn.actor, turn.data["prescription_id"], line, index)
        except InvalidInput as refusal:
            await self._overview(turn, await self._draft(turn), refusal.sentence)
            return
        place = len(view.lines) - 1 if index is None else index
        turn.data["index"] = place
        await self._meet(turn, view)

    async def _meet(self, turn: Turn, view: PrescriptionView, said: str = "") -> None:
        """Meet what the checks find: ask what nobody has said yet, then what forbids, then what needs a reason."""
        question = await open_question(turn, view)
        about = [one for one in view.stops if turn.data.get("index") in one.lines]
        if question is not None:
            ask(turn, question)
        elif about:
            self._stopped(turn, about)
        else:
            await self._next_warning(turn, view, said)

    async def _take_answer(self, turn: Turn, words: str) -> None:
        await keep_answer(turn, await self._draft(turn), words)
        await self._meet(turn, await self._draft(turn), "记下了。")

    async def _tap_answer(self, turn: Turn, answer: str) -> None:
        if turn.data["step"] != "question":
            await self._show(turn)
        else:
            await self._take_answer(turn, f"answer:{answer}")

    async def _questions(self, turn: Turn) -> None:
        turn.data["index"] = None
        await self._meet(turn, await self._draft(turn))

    def _stopped(self, turn: Turn, stops: list[Finding]) -> None:
        turn.data["step"] = "stopped"
        choices = (
            Choice("rx.instead", "换一种药"),
            Choice("rx.line", "改用量"),
            Choice("rx.drop", "不开这种药"),
        )
        blocks = [finding_text(one) for one in stops]
        turn.say(*paged(blocks, "这种药不能开。", choices, 0, Choice("page.overview:0", "看处方")))

    async def _instead(self, turn: Turn) -> None:
        await self._remove(turn, turn.data["index"])
        self._search(turn, "好的，这种药去掉了。")

    async def _drop(self, turn: Turn) -> None:
        await self._overview(turn, await self._remove(turn, turn.data["index"]), "好的，去掉了。")

    async def _remove(self, turn: Turn, index: int) -> PrescriptionView:
        with ending_if_refused(turn):
            return await turn.services.prescriptions.remove_line(turn.actor, turn.data["prescription_id"], index)

    async def _next_warning(self, turn: Turn, view: PrescriptionView, said: str = "") -> None:
        """Ask for a reason against the first warning that has none; where all have one, show the prescription."""
        left = view.unanswered
        if not left:
            await self._overview(turn, view, said)
            return
        turn.data.update(step="reason", rule=left[0].rule, subject=left[0].subject)
        more = f"（后面还有{len(left) - 1}条）" if len(left) > 1 else ""
        head = lines(said, finding_text(left[0]), f"还要这样开的话，请写下理由，药师会看到。{more}")
        turn.say(Menu(head, (Choice("rx.overview", "不这样开，去改"),)))

    async def _take_reason(self, turn: Turn, words: str) -> None:
        try:
            view = await turn.services.prescriptions.override(
                turn.actor, turn.data["prescription_id"], turn.data["rule"], turn.data["subject"], words
            )
        except InvalidInput:
            raise
        except DomainError as refusal:
            await self._overview(turn, await self._draft(turn), refusal.sentence)
            return
        await self._next_warning(turn, view, "理由记下了。")

    async def _reasons(self, turn: Turn) -> None:
        await self._next_warning(turn, await self._draft(turn))

    async def _on_page(self, turn: Turn) -> None:
        """Give the card of the page on which the same draft can be written."""
        view = await self._draft(turn)
        case = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        turn.say(writing_card(case, turn.services.links.prescription(view.id)))

    async def _show(self, turn: Turn) -> None:
        await self._overview(turn, await self._draft(turn))

    async def _overview(self, turn: Turn, view: PrescriptionView, said: str = "", page: int = 0) -> None:
        """Show the prescription as it stands, and the ways on."""
        turn.data["step"] = "overview"
        if not view.lines:
            self._search(turn, said, first=True)
            return
        ready = not view.stops and not view.unanswered and view.diagnoses
        choices = []
        if ready:
            choices.append(Choice("rx.read", "读一遍，签名"))
        elif await open_question(turn, view):
            choices.append(Choice("rx.questions", "补上没问清的"))
        elif view.unanswered and not view.stops:
            choices.append(Choice("rx.reasons", "写理由"))
        if len(view.lines) < turn.services.prescriptions.formulary.limits.max_medicines:
            choices.append(Choice("rx.search", "再加一种药"))
        choices += [
            Choice("rx.lines", "改药或删药"),
            Choice("rx.diagnosis", "改诊断" if view.diagnoses else "写诊断"),
            Choice("rx.chronic", "改回普通处方" if view.chronic else "改成慢病处方"),
            Choice(f"{FACTS}:{view.consultation_id}", "改姓名、年龄、性别"),
            Choice("rx.keep", "存成模板"),
            _ON_PAGE,
            _LEAVE,
            Choice("rx.throw", "丢掉"),
        ]
        hint = "标着⛔的要先改掉，才能签名。" if view.stops else ""
        onward = Choice(f"page.overview:{page + 1}", "接着看")
        blocks = [said, *draft_blocks(view, turn.data["patient"])]
        turn.say(*paged(blocks, f"共{len(view.lines)}种药。{hint}", tuple(choices), page, onward))

    async def _turn_overview(self, turn: Turn, page: str) -> None:
        await self._overview(turn, await self._draft(turn), page=int(page))

    async def _lines(self, turn: Turn) -> None:
        view = await self._draft(turn)
        formulary = turn.services.prescriptions.formulary
        choices = [
            Choice(
                f"edit:{number}", clip(f"{number + 1}. {formulary.preparation(line.preparation).name}", _LONGEST_CHOICE)
            )
            for number, line in enumerate(view.lines)
        ]
        turn.say(Menu("要改哪一种？", (*choices, Choice("rx.overview", "不改了"))))

    async def _edit(self, turn: Turn, argument: str) -> None:
        view = await self._draft(turn)
        index = int(argument) if argument.isdecimal() else -1
        if not 0 <= index < len(view.lines):
            await self._overview(turn, view, "这张处方刚在别的地方改过。")
            return
        turn.data.update(line=stored_line(view.lines[index]), why="", index=index, step="line")
        line = view.lines[index]
        choices = (
            Choice("rx.dose", "改一次的量"),
            Choice("rx.often", "改一天几次"),
            Choice("rx.days", "改天数"),
            Choice("rx.note", "改嘱咐"),
            Choice("rx.drop", "删掉这种药"),
            Choice("rx.overview", "不改了"),
        )
        turn.say(Menu(await self._spoken(turn, line), choices))

    async def _change_diagnosis(self, turn: Turn) -> None:
        turn.data["step"] = "diagnosis"
        keep = Choice("rx.overview", "不改了")
        turn.say(Menu("诊断改成什么？请发病名或者编码，比如 急性支气管炎，或者 J20.9。", (keep,)))

    async def _find_diagnosis(self, turn: Turn, words: str) -> None:
        choices = disease_choices(words, "icd")
        if choices:
            turn.say(Menu("是哪一个？都不是的话，换个说法再发。", (*choices, _LEAVE)))
        else:
            turn.say(Menu("没有找到这个病名，换个说法试试，或者发编码，比如 J20.9。", (_LEAVE,)))

    async def _take_diagnosis(self, turn: Turn, code: str) -> None:
        with ending_if_refused(turn):
            view = await turn.services.prescriptions.write(turn.actor, turn.data["prescription_id"], diagnoses=[code])
        await self._go_on(turn, view, "诊断写好了。")

    async def _last(self, turn: Turn) -> None:
        await self._filled(turn, turn.services.prescriptions.copy_last(turn.actor, turn.data["prescription_id"]))

    async def _chronic(self, turn: Turn) -> None:
        """Let it be for a chronic disease, whose courses may be longer, or not any more."""
        view = await self._draft(turn)
        view = await turn.services.prescriptions.write(turn.actor, view.id, chronic=not view.chronic)
        said = "改成慢病处方了，最长可以开12周，患者吃完可以请您续方。" if view.chronic else "改回普通处方了。"
        await self._overview(turn, view, said)

    async def _templates(self, turn: Turn) -> None:
        await self._find_template(turn, "")

    async def _find_template(self, turn: Turn, words: str) -> None:
        """Offer the templates whose names have these words in them."""
        known = await turn.services.prescriptions.templates(turn.actor)
        if not known:
            self._search(turn, "您还没有模板。写好一张处方以后，点“存成模板”就有了。", first=True)
            return
        turn.data["step"] = "template"
        found = [one for one in known if words.casefold() in one.name.casefold()]
        said = "" if found else f"没有名字里带“{clip(words, 12)}”的模板。"
        shown = (found or known)[:_FOUND]
        more = f"（一共{len(known)}个，没看到的，请发名字里的几个字）" if len(known) > len(shown) else ""
        choices = [Choice(f"template:{one.id}", clip(one.name, _LONGEST_CHOICE)) for one in shown]
        turn.say(Menu(lines(said, f"用哪个模板？{more}"), (*choices, Choice("rx.search", "不用模板"))))

    async def _use_template(self, turn: Turn, template_id: str) -> None:
        await self._filled(
            turn, turn.services.prescriptions.use_template(turn.actor, turn.data["prescription_id"], template_id)
        )

    async def _filled(self, turn: Turn, filling: Any) -> None:
        """Show what a copy or a template has put into the draft."""
        try:
            view = await filling
        except DomainError as refusal:
            self._search(turn, refusal.sentence, first=True)
            return
        await self._overview(turn, view, "填好了，请逐种核对用量。")

    async def _keep(self, turn: Turn) -> None:
        turn.data["step"] = "keep"
        turn.say(Menu("这个模板叫什么？比如 感冒常用。", (Choice("rx.overview", "不存了"),)))

    async def _take_name(self, turn: Turn, words: str) -> None:
        await turn.services.prescriptions.save_template(turn.actor, turn.data["prescription_id"], words)
        await self._overview(turn, await self._draft(turn), f"存好了，下次点“用模板”就能找到“{clip(words, 12)}”。")

    async def _read(self, turn: Turn, said: str = "", page: int = 0) -> None:
        """Show the whole to be read before it is signed; the answer that signs stands on the last page alone."""
        view = await self._draft(turn)
        if page and turn.data.get("revision") != view.revision:
            said, page = "这张处方刚在页面上改过，请再读一遍。", 0
        blocks = [said, *draft_blocks(view, turn.data["patient"])]
        head = "请从头读一遍。签名以后发给药师审核，不能再改。"
        read = page >= last_page(blocks, head)
        turn.data.update(step="preview" if read else "reading", revision=view.revision)
        choices = ((Choice("rx.sign", "没有错，签名"),) if read else ()) + (Choice("rx.overview", "还要改"), _LEAVE)
        turn.say(*paged(blocks, head, choices, page, Choice(f"page.read:{page + 1}", "接着读")))

    async def _turn_page(self, turn: Turn, page: str) -> None:
        await self._read(turn, page=int(page))

    async def _sign(self, turn: Turn) -> None:
        if turn.data["step"] != "preview":
            await self._read(turn)
            return
        try:
            await turn.services.prescriptions.sign(
                turn.actor, turn.data["prescription_id"], revision=turn.data["revision"]
            )
        except Conflict:
            await self._read(turn, "这张处方刚在页面上改过，请再读一遍。")
            return
        except FindingsLeft as refusal:
            await self._overview(turn, await self._draft(turn), refusal.sentence.splitlines()[0])
            return
        close(turn, "签好了，已经发给药师审核。通过以后，患者就能看到。结果我马上告诉您。")

    async def _throw(self, turn: Turn) -> None:
        choices = (Choice("rx.throw.sure", "确定丢掉"), Choice("rx.overview", "不丢，接着写"))
        turn.say(Menu("写好的药都会删掉，找不回来。确定丢掉吗？", choices))

    async def _throw_surely(self, turn: Turn) -> None:
        with ending_if_refused(turn):
            await turn.services.prescriptions.discard(turn.actor, turn.data["prescription_id"])
        close(turn, "这张处方丢掉了。")

    async def _leave(self, turn: Turn) -> None:
        close(turn, self.farewell)

    async def _draft(self, turn: Turn) -> PrescriptionView:
        with ending_if_refused(turn):
            view = await turn.services.prescriptions.prescription(turn.actor, turn.data["prescription_id"])
            if view.state is not State.DRAFT:
                raise Conflict(f"这张处方现在是“{view.state.label}”，不用再改了。")
        return view


_TOLD = {
    "dose": PrescribeFlow._take_dose,
    "often": PrescribeFlow._tell_often,
    "days": PrescribeFlow._take_days,
    "note": PrescribeFlow._take_note,
    "reason": PrescribeFlow._take_reason,
    "diagnosis": PrescribeFlow._find_diagnosis,
    "presence": PrescribeFlow._ask_presence,
    "question": PrescribeFlow._take_answer,
    "keep": PrescribeFlow._take_name,
    "template": PrescribeFlow._find_template,
}
_WORDS = ("dose", "days", "note")
_OF_A_MEDICINE = {
    "rx.accept",
    "rx.line",
    "rx.dose",
    "rx.often",
    "rx.route",
    "rx.days",
    "rx.note",
    "often",
    "route",
    *_WORDS,
}
_OF_A_PLACE = {"rx.instead", "rx.drop"}
_WITH_ARGUMENT = {
    "pick": PrescribeFlow._pick,
    "presence": PrescribeFlow._take_presence,
    "answer": PrescribeFlow._tap_answer,
    "often": PrescribeFlow._take_often,
    "route": PrescribeFlow._take_route,
    "edit": PrescribeFlow._edit,
    "icd": PrescribeFlow._take_diagnosis,
    "page.overview": PrescribeFlow._turn_overview,
    "page.read": PrescribeFlow._turn_page,
    "template": PrescribeFlow._use_template,
}
_TAPS = {
    "rx.search": PrescribeFlow._search_again,
    "rx.accept": PrescribeFlow._accept,
    "rx.line": PrescribeFlow._show_line,
    "rx.dose": PrescribeFlow._ask_dose,
    "rx.often": PrescribeFlow._ask_often,
    "rx.route": PrescribeFlow._ask_route,
    "rx.days": PrescribeFlow._ask_days,
    "rx.note": PrescribeFlow._ask_note,
    "rx.instead": PrescribeFlow._instead,
    "rx.drop": PrescribeFlow._drop,
    "rx.questions": PrescribeFlow._questions,
    "rx.reasons": PrescribeFlow._reasons,
    "rx.overview": PrescribeFlow._show,
    "rx.lines": PrescribeFlow._lines,
    "rx.diagnosis": PrescribeFlow._change_diagnosis,
    "rx.last": PrescribeFlow._last,
    "rx.templates": PrescribeFlow._templates,
    "rx.keep": PrescribeFlow._keep,
    "rx.read": PrescribeFlow._read,
    "rx.sign": PrescribeFlow._sign,
    "rx.throw": PrescribeFlow._throw,
    "rx.throw.sure": PrescribeFlow._throw_surely,
    "rx.chronic": PrescribeFlow._chronic,
    "rx.page": PrescribeFlow._on_page,
    "rx.leave": PrescribeFlow._leave,
}


async def write(turn: Turn, consultation_id: str) -> None:
    """Begin a prescription of a case, or go on with it."""
    if not await turn.services.prescriptions.may_write(turn.actor, consultation_id):
        raise Forbidden("只有这例会诊的医生和专家能开处方。")
    await turn.enter(PrescribeFlow.name, consultation_id=consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let doctors and experts prescribe."""
    dialogue.add_flow(PrescribeFlow())
    dialogue.on_action(WRITE, write)
