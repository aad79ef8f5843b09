"""How far two readers of the same films agree: the share, and Cohen's kappa with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

NORMAL_95 = 1.959964
"""Standard errors on each side of a 95% interval."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """films: that both read. agreed: the share of which both say the same. kappa: None where chance alone agrees.

    low, high: the 95% interval of kappa, by film; films of one patient are not independent, so that it is narrow.
    """

    films: int
    agreed: float
    kappa: float | None
    low: float | None
    high: float | None


def agreement(table: Mapping[tuple[str, str], int]) -> Agreement | None:
    """Return the agreement in {(what one says, what the other says): films}; None where there is no film.

    Kappa: Cohen 1960. Its standard error: Fleiss, Cohen and Everitt 1969, the one for an interval.
    """
    films = sum(table.values())
    if not films:
        return None
    shares = {pair: count / films for pair, count in table.items()}
    names = sorted({name for pair in table for name in pair})
    first = {name: sum(share for (one, _), share in shares.items() if one == name) for name in names}
    second = {name: sum(share for (_, other), share in shares.items() if other == name) for name in names}
    agreed = sum(shares.get((name, name), 0.0) for name in names)
    chance = sum(first[name] * second[name] for name in names)
    if math.isclose(chance, 1.0):
        return Agreement(films, agreed, None, None, None)
    kappa = (agreed - chance) / (1 - chance)
    variance = _variance(shares, first, second, agreed, chance) / films
    reach = NORMAL_95 * math.sqrt(max(variance, 0.0))
    return Agreement(films, agreed, kappa, max(-1.0, kappa - reach), min(1.0, kappa + reach))


def _variance(
    shares: Mapping[tuple[str, str], float],
    first: Mapping[str, float],
    second: Mapping[str, float],
    agreed: float,
    chance: float,
) -> float:
    same = sum(
        share * ((1 - chance) - (first[one] + second[one]) * (1 - agreed)) ** 2
        for (one, other), share in shares.items()
        if one == other
    )
    crossed = (1 - agreed) ** 2 * sum(
        share * (second[one] + first[other]) ** 2 for (one, other), share in shares.items() if one != other
    )
    return (same + crossed - (agreed * chance - 2 * chance + agreed) ** 2) / (1 - chance) ** 4
