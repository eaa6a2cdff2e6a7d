"""A consent beside the one to care: asked by itself on the page about privacy and at a word, and taken back at the same
word. Who says no loses nothing."""

import re
from dataclasses import dataclass

from backend.people import ConsentKind
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows.consent import require_consent
from bot.incoming import Kind
from bot.messages import Choice, Menu


@dataclass(frozen=True)
class AskedConsent:
    """One such consent.

    Args:
        verb: of its actions: `verb`, `verb_terms`, `verb_agree:VERSION` and `verb_refuse`.
        words: what brings it up, in the middle of anything.
        question, agreed: what is said to who has not agreed, and to who has.
        thanks, taken_back, refused: what answers yes, no after a yes, and no.
    """

    kind: ConsentKind
    verb: str
    words: re.Pattern[str]
    question: str
    agreed: str
    thanks: str
    taken_back: str
    refused: str

    @property
    def terms(self) -> Choice:
        """Shows the document."""
        return Choice(f"{self.verb}_terms", "看说明")

    def answers(self, version: str) -> tuple[Choice, Choice]:
        """Give yes and no to this version of the document."""
        return Choice(f"{self.verb}_agree:{version}", "可以"), Choice(f"{self.verb}_refuse", "不可以")

    def register(self, dialogue: Dialogue) -> None:
        """Add the question and its answers."""
        dialogue.on_action(self.verb, self._ask)
        dialogue.on_action(f"{self.verb}_terms", self._show_terms)
        dialogue.on_action(f"{self.verb}_agree", self._agree)
        dialogue.on_action(f"{self.verb}_refuse", self._refuse)
        dialogue.intercept([self._hear])

    async def _ask(self, turn: Turn, _argument: str) -> None:
        if not await require_consent(turn):
            return
        if await self._has(turn):
            turn.say(Menu(self.agreed, (Choice(f"{self.verb}_refuse", "收回"), self.terms)))
            return
        turn.say(Menu(self.question, (*self.answers(self._version(turn)), self.terms)))

    async def _show_terms(self, turn: Turn, _argument: str) -> None:
        if not await require_consent(turn):
            return
        document = turn.services.people.consent_document(self.kind)
        turn.say(f"《{document.title}》（第{document.version}版）\n\n{document.text}")
        if not await self._has(turn):
            turn.say(Menu("看完了，可以吗？", self.answers(document.version)))

    async def _agree(self, turn: Turn, version: str) -> None:
        if not await require_consent(turn):
            return
        if version != self._version(turn):
            await self._ask(turn, "")  # it has changed since it was asked
            return
        await turn.services.people.give_consent(turn.actor, version, self.kind)
        turn.say(self.thanks)

    async def _refuse(self, turn: Turn, _argument: str) -> None:
        if not await require_consent(turn):
            return
        people = turn.services.people
        if await self._has(turn):
            await people.withdraw_consent(turn.actor, self.kind)
            turn.say(self.taken_back)
            return
        await people.refuse_consent(turn.actor, self._version(turn), self.kind)
        turn.say(self.refused)

    async def _hear(self, turn: Turn) -> bool:
        if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or self.words.fullmatch(turn.text) is None:
            return False
        if is_practitioner(turn.actor):
            return False
        await self._ask(turn, "")
        return True

    async def _has(self, turn: Turn) -> bool:
        return await turn.services.people.has_consent(turn.actor.person_id, self.kind)

    def _version(self, turn: Turn) -> str:
        return turn.services.people.consent_document(self.kind).version
