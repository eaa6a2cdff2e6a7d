"""Fits the network to the examples."""

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from nlu.reader_input import INPUTS
from nlu.training.reading.dataset import UNLABELLED, Example
from nlu.training.reading.network import ReaderNetwork


@dataclass(frozen=True)
class Plan:
    """How long and how fast it is learnt."""

    epochs: int = 7
    batch: int = 64
    rate: float = 2e-3
    memory: float = 0.995
    """How slowly the averaged weights, which are what ships, follow the learnt ones."""
    empty_share: float = 0.4
    """Of the sentences without a symptom this share is taken each round, at a weight that makes up for the rest."""


@dataclass
class Batch:
    """Examples of like length as tensors."""

    inputs: dict[str, Tensor]
    tags: Tensor
    labels: Tensor
    statuses: Tensor
    weights: Tensor


def stack(examples: list[Example], plan: Plan) -> Batch:
    """The examples padded to one length."""
    size = max(len(one.tags) for one in examples)

    def padded(arrays: list[np.ndarray], filler: int) -> Tensor:
        out = np.full((len(arrays), size), filler, dtype=np.int64)
        for row, array in enumerate(arrays):
            out[row, : len(array)] = array
        return torch.from_numpy(out)

    return Batch(
        inputs={name: padded([getattr(one.sight, name) for one in examples], 0) for name in INPUTS},
        tags=padded([one.tags for one in examples], UNLABELLED),
        labels=padded([one.labels for one in examples], UNLABELLED),
        statuses=padded([one.statuses for one in examples], UNLABELLED),
        weights=torch.tensor([1.0 if is_full(one) else 1 / plan.empty_share for one in examples]),
    )


def is_full(one: Example) -> bool:
    """Whether anything is marked in it."""
    return bool((one.tags > 0).any())


def batches(examples: list[Example], plan: Plan, chance: random.Random) -> list[list[Example]]:
    """One round through the examples in batches of like length, in random order."""
    taken = [one for one in examples if is_full(one) or chance.random() < plan.empty_share]
    chance.shuffle(taken)
    made = []
    for start in range(0, len(taken), plan.batch * 12):
        pool = sorted(taken[start : start + plan.batch * 12], key=lambda one: len(one.tags))
        made += [pool[first : first + plan.batch] for first in range(0, len(pool), plan.batch)]
    chance.shuffle(made)
    return made


def loss_of(network: ReaderNetwork, batch: Batch) -> Tensor:
    """What there is to unlearn in a batch: wrong tags, names and statuses."""
    with torch.autocast("cpu", torch.bfloat16):
        scores = network(**batch.inputs)
    tags, names, statuses = (one.float() for one in scores)
    mask = batch.inputs["speakers"] > 0
    loss = (network.tag_loss(tags, batch.tags, mask) * batch.weights).sum() / batch.weights.sum()
    marked = batch.labels >= 0
    if marked.any():
        share = marked.sum() / len(marked)
        loss = loss + 0.15 * share * cross_entropy(names[marked], batch.labels[marked], label_smoothing=0.05)
    told = batch.statuses >= 0
    if told.any():
        share = told.sum() / len(told)
        loss = loss + 0.3 * share * cross_entropy(statuses[told], batch.statuses[told], label_smoothing=0.05)
    return loss


def fit(network: ReaderNetwork, examples: list[Example], plan: Plan, seed: int) -> ReaderNetwork:
    """Train ``network``; what comes back is the average of its later states."""
    chance = random.Random(seed)
    optimiser = torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=0.01)
    full = sum(map(is_full, examples))
    steps = int(plan.epochs * ((full + (len(examples) - full) * plan.empty_share) / plan.batch + 8))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=steps)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(plan.memory))
    done = 0
    for epoch in range(plan.epochs):
        network.train()
        bar = tqdm(batches(examples, plan, chance), desc=f"reader, round {epoch + 1}/{plan.epochs}", mininterval=5)
        for some in bar:
            loss = loss_of(network, stack(some, plan))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            average.update_parameters(network)
            done += 1
            if done < steps:
                schedule.step()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return average.module.eval()
