"""Trains a dense network on PyTorch, to compare the engine with. No model is made with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from schemas.architecture import LayerSpec
from schemas.errors import UsageError
from trainer.training.lesson import Lesson, Trained
from wetread.engine.array import Array
from wetread.engine.history import History


def import_torch(threads: int | None = None) -> Any:
    """Return the module torch; raise UsageError where it is not installed. threads: of one operation."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError("the twin in PyTorch needs torch, which is not installed: pip install torch") from error
    if threads is not None:
        torch.set_num_threads(threads)
    return torch


def fit_torch(lesson: Lesson) -> Trained:
    """Train as `lesson` says: the engine's first weights, batches, schedule and optimizer settings.

    Layers: flatten, dense and relu; others, class weights, averaging and early stopping raise UsageError. Where epsilon
    stands is each library's own: for RMSprop and Adagrad PyTorch adds it to the root, Keras under it.
    """
    torch = import_torch(lesson.options.threads)
    options = lesson.options
    chosen = (lesson.loss.class_weights, options.patience, options.average)
    if any(choice is not None for choice in chosen) or lesson.validation is None:
        raise UsageError(
            "the twin in PyTorch trains all epochs, keeps the last weights, counts every image the same, and needs "
            "test images"
        )
    model = torch.nn.Sequential(*(_layer(torch, layer, lesson.first_weights) for layer in lesson.architecture.layers))
    optimizer = _OPTIMIZERS[lesson.options.optimizer](
        torch.optim, model.parameters(), lesson.options.optimizer_settings
    )
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=lesson.loss.label_smoothing)
    rate, history, steps = lesson.options.rate_of(len(lesson.batches)), History(), 0
    images, labels = (torch.from_numpy(array) for array in lesson.validation)
    for epoch in range(lesson.options.epochs):
        started, seen, total_loss, right = time.perf_counter(), 0, 0.0, 0
        for X, y in lesson.batches(epoch):
            optimizer.param_groups[0]["lr"] = rate(steps)
            truth = torch.from_numpy(y)
            logits = model(torch.from_numpy(X))
            loss = criterion(logits, truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps, seen = steps + 1, seen + len(y)
            total_loss += float(loss.detach()) * len(y)
            right += int((logits.detach().argmax(1) == truth).sum())
        with torch.no_grad():
            logits = model(images)
            history.val_loss.append(float(criterion(logits, labels)))
            history.val_accuracy.append(float((logits.argmax(1) == labels).float().mean()))
        history.loss.append(total_loss / seen)
        history.accuracy.append(right / seen)
        history.seconds.append(time.perf_counter() - started)
    return Trained(_weights(model, lesson), history, lesson.options.epochs)


def _layer(torch: Any, layer: LayerSpec, weights: Mapping[str, Array]) -> Any:
    if layer.kind == "flatten":
        return torch.nn.Flatten()
    if layer.kind == "relu":
        return torch.nn.ReLU()
    if layer.kind != "dense":
        raise UsageError(f"the twin in PyTorch has no layer {layer.kind!r}: it knows flatten, dense and relu")
    kernel, bias = (torch.from_numpy(weights[f"{layer.name}/{name}"].copy()) for name in ("kernel", "bias"))
    dense = torch.nn.Linear(*kernel.shape)
    with torch.no_grad():
        dense.weight.copy_(kernel.T)
        dense.bias.copy_(bias)
    return dense


def _weights(model: Any, lesson: Lesson) -> dict[str, Array]:
    weights = {}
    for layer, twin in zip(lesson.architecture.layers, model, strict=True):
        if layer.kind == "dense":
            weights[f"{layer.name}/kernel"] = np.ascontiguousarray(twin.weight.detach().numpy().T)
            weights[f"{layer.name}/bias"] = twin.bias.detach().numpy()
    return weights


_OPTIMIZERS: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], Any]] = {
    "rmsprop": lambda optim, parameters, of: optim.RMSprop(
        parameters, of["learning_rate"], alpha=of["rho"], eps=of["epsilon"], momentum=of["momentum"],
        centered=of["centered"],
    ),
    "sgd": lambda optim, parameters, of: optim.SGD(
        parameters, of["learning_rate"], momentum=of["momentum"], nesterov=of["nesterov"]
    ),
    "adadelta": lambda optim, parameters, of: optim.Adadelta(
        parameters, of["learning_rate"], rho=of["rho"], eps=of["epsilon"]
    ),
    "adagrad": lambda optim, parameters, of: optim.Adagrad(
        parameters, of["learning_rate"], initial_accumulator_value=of["initial_accumulator_value"], eps=of["epsilon"]
    ),
    "adam": lambda optim, parameters, of: optim.Adam(
        parameters, of["learning_rate"], betas=(of["beta_1"], of["beta_2"]), eps=of["epsilon"], amsgrad=of["amsgrad"]
    ),
}  # fmt: skip
"""Name -> optimizer with the numbers of the engine's optimizer of that name, under PyTorch's names."""
