"""Part of writing a prescription in chat: the medicine in hand, its dose, how often, how long, and what to mind."""

from typing import Any

from backend.prescription import ROUTES, Line, read_line, stored_line
from bot.cards.prescription import spoken
from bot.dialogue import Turn
from bot.flows.prescription_words import days_in, dose_in
from bot.flows.staff_flow import StaffFlow
from bot.messages import Choice, Menu, suggestions
from bot.wording import lines

_DAYS = ("3天", "5天", "7天", "14天")
_NOTES = ("饭前吃", "饭后吃", "睡前吃", "多喝水")
_USUAL = ("qd", "bid", "tid", "qid", "qn", "prn")


class MedicineInHand(StaffFlow):
    """Data: `prescription_id`, `step`; `line`, `why`: the medicine in hand and where its dose is from."""

    async def _propose(self, turn: Turn, said: str = "") -> None:
        """Show the medicine in hand with what can be changed of it."""
        turn.data["step"] = "line"
        line = read_line(turn.data["line"])
        preparation = turn.services.prescriptions.formulary.preparation(line.preparation)
        several = [Choice("rx.route", "改用法")] if len(preparation.routes) > 1 else []
        why = f"（{turn.data['why']}）" if turn.data["why"] else ""
        head = lines(said, await self._spoken(turn, line), why, "这样开可以吗？")
        choices = (
            Choice("rx.accept", "就这样"),
            Choice("rx.dose", "改一次的量"),
            Choice("rx.often", "改一天几次"),
            Choice("rx.days", "改天数"),
            *several,
            Choice("rx.note", "加嘱咐"),
            Choice("rx.search", "换一种药"),
        )
        turn.say(Menu(head, choices))

    async def _spoken(self, turn: Turn, line: Line) -> str:
        described = await turn.services.prescriptions.describe(turn.actor, turn.data["prescription_id"], line)
        return spoken(described, line)

    async def _ask_dose(self, turn: Turn) -> None:
        turn.data["step"] = "dose"
        line = read_line(turn.data["line"])
        one = turn.services.prescriptions.formulary.preparation(line.preparation)
        piece = one.form.piece
        quick = suggestions("dose", (f"1{piece}", f"2{piece}", f"3{piece}")) if piece not in ("ml", "g") else ()
        example = f"{one.strength.normalize():f}{one.unit}，或者 1{piece}"
        turn.say(Menu(f"{one.name}一次用多少？比如 {example}。", (*quick, Choice("rx.line", "不改了"))))

    async def _take_dose(self, turn: Turn, words: str) -> None:
        line = read_line(turn.data["line"])
        one = turn.services.prescriptions.formulary.preparation(line.preparation)
        dose = dose_in(words, one)
        if dose is None:
            turn.say(f"没看懂。请写数字和单位，比如 {one.strength.normalize():f}{one.unit} 或者 1{one.form.piece}。")
            return
        await self._change(turn, dose=f"{dose:f}")

    async def _ask_often(self, turn: Turn) -> None:
        turn.data["step"] = "often"
        known = turn.services.prescriptions.formulary.reference.frequencies
        choices = [Choice(f"often:{code}", known[code].name) for code in _USUAL if code in known]
        rest = [Choice(f"often:{code}", one.name) for code, one in known.items() if code not in _USUAL]
        turn.say(Menu("多久用一次？", (*choices, *rest, Choice("rx.line", "不改了"))))

    async def _take_often(self, turn: Turn, code: str) -> None:
        await self._change(turn, frequency=code)

    async def _tell_often(self, turn: Turn, words: str) -> None:
        known = turn.services.prescriptions.formulary.reference.frequencies
        code = (
            words.lower() if words.lower() in known else next((c for c, one in known.items() if one.name == words), "")
        )
        if code:
            await self._change(turn, frequency=code)
        else:
            turn.say("没看懂。请点上面的一项，或者发 tid、bid 这样的缩写。")

    async def _ask_route(self, turn: Turn) -> None:
        turn.data["step"] = "line"
        line = read_line(turn.data["line"])
        routes = turn.services.prescriptions.formulary.preparation(line.preparation).routes
        turn.say(Menu("怎么用？", tuple(Choice(f"route:{one}", ROUTES[one]) for one in routes)))

    async def _take_route(self, turn: Turn, route: str) -> None:
        await self._change(turn, route=route)

    async def _ask_days(self, turn: Turn) -> None:
        turn.data["step"] = "days"
        turn.say(Menu("用几天？点一下，或者直接写。", (*suggestions("days", _DAYS), Choice("rx.line", "不改了"))))

    async def _take_days(self, turn: Turn, words: str) -> None:
        days = days_in(words)
        if days is None:
            turn.say("没看懂。请写天数，比如 7天。")
            return
        await self._change(turn, days=days)

    async def _ask_note(self, turn: Turn) -> None:
        turn.data["step"] = "note"
        turn.say(
            Menu("要嘱咐患者什么？点一下，或者直接写。", (*suggestions("note", _NOTES), Choice("rx.line", "不写了")))
        )

    async def _take_note(self, turn: Turn, words: str) -> None:
        await self._change(turn, note=words)

    async def _change(self, turn: Turn, **fields: Any) -> None:
        """Change the medicine in hand; it is checked once it is in the prescription."""
        line = turn.services.prescriptions.formulary.valid(read_line(turn.data["line"] | fields))
        turn.data.update(line=stored_line(line), why="" if "dose" in fields else turn.data["why"])
        await self._propose(turn, "改好了。")

    async def _show_line(self, turn: Turn) -> None:
        await self._propose(turn)
