"""The API's description says all that it does, in the command line's words, and nothing else."""

from __future__ import annotations

import jsonschema
import pytest

from cli.result_options import FILTERS as OPTIONS
from cli.result_options import filter_options
from cli.results import SORTS as SORTED_BY
from schemas.errors import UsageError
from web.api_answers import SORTS
from web.api_asked import check_value
from web.api_filters import FILTERS, whole_number
from web.api_operations import OPERATIONS, api_routes, document


def test_every_operation_is_described_and_has_its_route() -> None:
    paths = document()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert described == {(one.method, one.path.replace(":int", "")) for one in OPERATIONS}
    routes = {(method, route.path) for route in api_routes() for method in route.methods or ()}
    assert {(one.method, "/api/v1" + one.path) for one in OPERATIONS} <= routes


def test_its_schemas_are_json_schema() -> None:
    for methods in document()["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                jsonschema.Draft202012Validator.check_schema(parameter["schema"])
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                jsonschema.Draft202012Validator.check_schema(schema)


def test_the_filters_and_orders_are_those_of_the_command() -> None:
    def command() -> None:
        """Do nothing."""

    filter_options(command)
    options = [next(word for word in option.opts if word.startswith("--")) for option in command.__click_params__[::-1]]  # type: ignore[attr-defined]  # click's own
    assert len(options) == len(OPTIONS)
    assert [word.removeprefix("--").replace("-", "_") for word in options] == list(FILTERS)
    assert sorted(SORTS) == sorted(SORTED_BY)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (True, {"type": "number"}), ("1", {"type": "number"}), (1, {"type": "string"}), (0, {"type": "boolean"}),
        ("x", {"type": "array", "items": {"type": "string"}}), ([1], {"type": "array", "items": {"type": "string"}}),
        ("c", {"type": "string", "enum": ["a", "b"]}), (None, {"type": "string"}),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(value: object, schema: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="it: expected"):
        check_value("it", value, schema)


def test_numbers_are_whole_and_within_their_limits() -> None:
    assert whole_number("limit", "7", least=1, most=7) == 7
    for text in ("0", "8", "-1", "1.0", "", "٣", "9" * 40, " 1"):
        with pytest.raises(UsageError, match="limit: expected"):
            whole_number("limit", text, least=1, most=7)
