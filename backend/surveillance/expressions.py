"""The aggregations, as Ibis expressions: what DuckDB runs in this process, ClickHouse, Trino or Spark run elsewhere.

Ibis is imported where this module is, so import it only in the process that computes (`engine`).

EARS: Hutwagner L, Thompson W, Seeman GM, Treadwell T. The bioterrorism preparedness and response Early Aberration
Reporting System (EARS). J Urban Health 2003;80(2 Suppl 1):i89-i96; with the formula of C3 as in Fricker RD, Hegler BL,
Dunfee DA. Comparing syndromic surveillance detection methods: EARS' versus a CUSUM-based methodology. Stat Med
2008;27:3407-3429.
"""

import ibis
from ibis.expr.types import NumericValue, Table

from backend.surveillance.rules import (
    BASELINE_DAYS,
    C2_LIMIT,
    C3_DAYS,
    LAG_DAYS,
    LEAST_KNOWN_DAYS,
    LEAST_SD,
    WHOLE,
)


def daily(facts: Table, days: Table, areas: Table, syndromes: Table) -> Table:
    """Count cases by syndrome, area and day.

    Args:
        facts: day, area, syndrome: a row a case. days: day, known: every day of the span, and whether the platform ran.
        areas: area, since: the day of the first case there was; `WHOLE` is one. syndromes: syndrome.

    Returns:
        syndrome, area, day, cases: 0 where there were none, null where nobody can know: before the area's first case,
        and on days on which the platform did not run.
    """
    everywhere = facts.mutate(area=ibis.literal(WHOLE)).select("day", "area", "syndrome")
    every = facts.select("day", "area", "syndrome").union(everywhere)
    counted = every.group_by(["syndrome", "area", "day"]).aggregate(counted=lambda t: t.count())
    grid = syndromes.cross_join(areas).cross_join(days)
    joined = grid.left_join(counted, ["syndrome", "area", "day"])
    known = grid.known & (grid.day >= grid.since)
    return joined.select(
        grid.syndrome, grid.area, grid.day, cases=ibis.ifelse(known, counted.counted.coalesce(0), ibis.null("int64"))
    )


def ears(counts: Table) -> Table:
    """Compute C1, C2 and C3 of every day.

    C1 compares a day with the mean and the standard deviation (n - 1) of the seven days before it; C2 with those of the
    seven days that end three days before it, so that the beginning of an outbreak does not raise its own limit; C3 is
    what C2 exceeded 1 by, summed over the day and the two before it.

    Args:
        counts: syndrome, area, day, cases (null where unknown): a row for every day of the span.

    Returns:
        the same with usual (the mean that C2 compares with), bound (the most that C2 lets pass), and c1, c2, c3: null
        where the day or too much of its baseline is unknown.
    """

    def before(last: int) -> ibis.expr.builders.WindowBuilder:
        first = last + BASELINE_DAYS - 1
        return ibis.window(group_by=["syndrome", "area"], order_by="day", preceding=(first, last))

    near, far = before(1), before(LAG_DAYS + 1)
    based = counts.mutate(
        mean_near=counts.cases.mean().over(near),
        mean_far=counts.cases.mean().over(far),
        sd_near=_floored(counts.cases.std(how="sample").over(near)),
        sd_far=_floored(counts.cases.std(how="sample").over(far)),
        known_near=counts.cases.count().over(near),
        known_far=counts.cases.count().over(far),
    )
    enough_near = based.known_near >= LEAST_KNOWN_DAYS
    enough_far = based.known_far >= LEAST_KNOWN_DAYS
    compared = based.mutate(
        usual=ibis.ifelse(enough_far, based.mean_far, ibis.null("float64")),
        bound=ibis.ifelse(enough_far, based.mean_far + C2_LIMIT * based.sd_far, ibis.null("float64")),
        c1=ibis.ifelse(enough_near, (based.cases - based.mean_near) / based.sd_near, ibis.null("float64")),
        c2=ibis.ifelse(enough_far, (based.cases - based.mean_far) / based.sd_far, ibis.null("float64")),
    )
    excess = compared.mutate(excess=ibis.greatest(compared.c2 - 1, 0.0))
    three = ibis.window(group_by=["syndrome", "area"], order_by="day", preceding=(C3_DAYS - 1, 0))
    summed = excess.mutate(sum_three=excess.excess.sum().over(three), known_three=excess.c2.count().over(three))
    whole = summed.mutate(
        c3=ibis.ifelse(summed.known_three == C3_DAYS, summed.sum_three, ibis.null("float64")),
    )
    return whole.select("syndrome", "area", "day", "cases", "usual", "bound", "c1", "c2", "c3")


def _floored(deviation: NumericValue) -> NumericValue:
    return ibis.greatest(deviation, LEAST_SD)
