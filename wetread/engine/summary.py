"""A network as a table."""

from __future__ import annotations

from collections.abc import Sequence

from wetread.engine.graph import Node


def summary_table(nodes: Sequence[Node]) -> str:
    """Return a line a layer with its kind, output shape and parameters, and a last line with their sum."""
    trained = [sum(weight.size for weight in node.layer.parameters.values()) for node in nodes]
    moving = [sum(array.size for array in node.layer.state.values()) for node in nodes]
    rows = [("layer", "kind", "output", "parameters")]
    for node, own, state in zip(nodes, trained, moving, strict=True):
        rows.append((node.name, node.kind, "x".join(map(str, node.layer.output_shape)), f"{own + state:,}"))
    name, kind, output, parameters = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = [f"{row[0]:<{name}}  {row[1]:<{kind}}  {row[2]:>{output}}  {row[3]:>{parameters}}" for row in rows]
    return "\n".join([*lines, f"{sum(trained) + sum(moving):,} parameters, {sum(trained):,} of them trained"])
