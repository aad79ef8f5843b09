"""What another's ONNX file may hold, looked at before anything of it is run.

    one file          no tensor whose numbers lie elsewhere; each has as many as its shape says, all finite
    known operators   of ONNX itself, each giving the same for the same: no custom ones, no functions, no chance
    no control flow   no loops, branches or graphs within nodes, so that what is run is as long as the file

What these leave, such as a node that makes a tensor of any size, is met by the limits on the process that runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from schemas.errors import ArtefactError
from wetread.models.onnx_runtime import import_onnx

NODES_LIMIT = 20_000
OWN_DOMAINS = ("", "ai.onnx")

OPERATORS = frozenset(
    """
    Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Concat Constant
    ConstantOfShape Conv ConvTranspose Cos CumSum DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear
    Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool
    GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Hardmax Identity
    InstanceNormalization LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul
    MatMulInteger Max MaxPool Mean Min Mish Mod Mul Neg Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul
    QuantizeLinear RMSNormalization Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
    ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round ScatterElements ScatterND Selu Shape
    Shrink Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh
    ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor
    """.split()  # noqa: SIM905 - a list would be a page
)
"""Of ONNX: without control flow, chance, strings, sequences, and shapes that depend on pixels."""

_NEXT = "export the network again, or ask whoever made it"


@dataclass(frozen=True, slots=True)
class OnnxPort:
    """The one input, or an output: its name, and its sides, None where the file leaves one open."""

    name: str
    sides: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class OnnxDescription:
    """What a file that passed says of itself. parameters: numbers in its tensors."""

    taken: OnnxPort
    given: tuple[OnnxPort, ...]
    parameters: int
    producer: str


def checked_onnx(data: bytes) -> OnnxDescription:
    """Return what the file in `data` takes and gives.

    Raises ArtefactError for anything that the module's docstring does not let in, UsageError without the package onnx.
    """
    onnx = import_onnx()
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:  # protobuf's own, which has no name that is ours to import
        raise ArtefactError(f"expected an ONNX file, found a fault: {_short(error)}; {_NEXT}") from error
    if not model.graph.node:
        raise ArtefactError(f"expected an ONNX file with a network, found no node; {_NEXT}")
    _check_outside(model)
    parameters = sum(_numbers(onnx, tensor) for tensor in _tensors(model.graph))
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ArtefactError(f"expected a valid ONNX file, found: {_short(error)}; {_NEXT}") from error
    fixed = {tensor.name for tensor in model.graph.initializer}
    free = [one for one in model.graph.input if one.name not in fixed]
    if len(free) != 1:
        raise ArtefactError(f"expected an ONNX network of one input, found {[one.name for one in free]}; {_NEXT}")
    producer = " ".join(f"{model.producer_name} {model.producer_version}".split())[:100]
    return OnnxDescription(
        _port(onnx, free[0]), tuple(_port(onnx, one) for one in model.graph.output), parameters, producer
    )


def _check_outside(model: Any) -> None:
    """Raise ArtefactError for functions, foreign operators, control flow, and what is for training."""
    strange = sorted({f"{node.domain}.{node.op_type}" for node in model.graph.node if node.domain not in OWN_DOMAINS})
    if strange or model.functions:
        found = strange or [f"{one.domain}.{one.name}" for one in model.functions]
        raise ArtefactError(f"expected operators of ONNX alone, found others: {', '.join(found)[:200]}; {_NEXT}")
    unknown = sorted({node.op_type for node in model.graph.node} - OPERATORS)
    if unknown:
        raise ArtefactError(
            "expected operators that give the same for the same film, without control flow or strings, found "
            f"{', '.join(unknown)[:200]}; {_NEXT}"
        )
    if model.training_info or model.graph.sparse_initializer:
        raise ArtefactError(f"expected a network for reading, with plain tensors, found parts for more; {_NEXT}")
    if len(model.graph.node) > NODES_LIMIT:
        raise ArtefactError(f"expected at most {NODES_LIMIT:,} nodes, found {len(model.graph.node):,}; {_NEXT}")
    for node in model.graph.node:
        _check_node(node)


def _check_node(node: Any) -> None:
    for attribute in node.attribute:
        if attribute.HasField("g") or attribute.graphs or attribute.HasField("sparse_tensor"):
            raise ArtefactError(f"node {node.name!r}: expected no graph within it, found one; {_NEXT}")
        if attribute.sparse_tensors or attribute.ref_attr_name:
            raise ArtefactError(f"node {node.name!r}: expected plain attributes, found others; {_NEXT}")
        if attribute.name == "training_mode" and attribute.i:
            raise ArtefactError(f"node {node.name!r}: expected a network for reading, found one that trains; {_NEXT}")


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _numbers(onnx: Any, tensor: Any) -> int:
    """Return how many numbers a tensor has; raise ArtefactError unless they are all there, in the file, and finite."""
    where = f"tensor {tensor.name[:60]!r}"
    if tensor.data_location != onnx.TensorProto.DEFAULT or tensor.external_data or tensor.HasField("segment"):
        raise ArtefactError(f"{where}: expected its numbers in the file itself, found them outside; {_NEXT}")
    wanted = prod(tensor.dims)
    if min(tensor.dims, default=0) < 0 or wanted > 8 * tensor.ByteSize():  # a number has half a byte at the least
        raise ArtefactError(f"{where}: expected as many numbers as {list(tensor.dims)}, found fewer; {_NEXT}")
    try:
        array = onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise ArtefactError(f"{where}: expected its numbers, found a fault: {_short(error)}; {_NEXT}") from error
    if array.dtype.kind not in "biuf" and array.dtype.itemsize > 4:
        raise ArtefactError(f"{where}: expected numbers, found {array.dtype}; {_NEXT}")
    if array.dtype.kind == "f" and not np.isfinite(array).all() and array.size > 1:
        raise ArtefactError(f"{where}: expected finite numbers, found NaN or infinity; {_NEXT}")
    if array.dtype.kind == "f" and np.isnan(array).any():  # one infinity alone is a bound, as Clip has
        raise ArtefactError(f"{where}: expected finite numbers, found NaN; {_NEXT}")
    return int(array.size)


def _port(onnx: Any, value: Any) -> OnnxPort:
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or kind.elem_type != onnx.TensorProto.FLOAT:
        raise ArtefactError(f"{value.name!r}: expected float32 numbers, found another type; {_NEXT}")
    sides = tuple(side.dim_value if side.HasField("dim_value") else None for side in kind.shape.dim)
    return OnnxPort(value.name, sides)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
