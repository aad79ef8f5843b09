from __future__ import annotations

import math

from trainer.studies import paper
from wetread.engine.optimizers.build import OPTIMIZERS


def test_the_papers_table_has_its_five_optimizers_in_its_order() -> None:
    assert list(paper.XRAY) == list(OPTIMIZERS)


def test_what_is_said_against_the_table_holds_of_it() -> None:
    sgd = paper.XRAY["sgd"]
    assert round(math.log(2), 4) == sgd.last_loss and sgd.last_accuracy == 1 and sgd.last_loss > sgd.first_loss
    assert all(figures.last_accuracy == 1 for figures in paper.XRAY.values())
    assert float(f"{2**-22:.4e}") == paper.XRAY["adam"].last_loss == 2.3842e-7
    assert sum("ln 2 = 0.6931" in reason for reason in paper.WHY_XRAY_IS_NO_TARGET) == 1
