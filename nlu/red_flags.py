"""Danger signs in what is known of a case."""

from data.red_flags import RedFlagRule, red_flags
from nlu.conditions import evidence
from nlu.facts import CaseFacts
from nlu.types import RedFlag


def assess_red_flags(facts: CaseFacts) -> list[RedFlag]:
    """The danger signs that ``facts`` show, the most urgent first.

    Only what is present counts: what is denied, past or merely asked about raises nothing. The rules, what to do and
    the source of each stand in ``data/nlu/red_flags.json``.
    """
    present = frozenset(facts.present)
    found = [flag for rule in red_flags() if (flag := _assess(rule, facts, present))]
    return sorted(found, key=lambda flag: flag.level)


def _assess(rule: RedFlagRule, facts: CaseFacts, present: frozenset[str]) -> RedFlag | None:
    for condition in rule.when:
        found = evidence(condition, facts, present)
        if found:
            return RedFlag(
                code=rule.code,
                title=rule.title,
                level=rule.level,
                advice=rule.advice,
                evidence=found,
                source=rule.source,
            )
    return None
