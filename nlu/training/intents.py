"""Train the model of intents from our own examples alone (``data/nlu/intent_examples.json``), from no public set.

A sum of learnt vectors, one for each piece of the text, beside what the rules found, one hidden layer, one output for
each intent. Five models, each trained without a fifth of the examples, judge that fifth: from their judgements come the
temperature, the threshold and the figures of the card; the model that ships has seen every example.
"""

import json
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import torch
from tqdm import tqdm

from data.intent_examples import intent_examples
from nlu.embedded import EmbeddedProvider
from nlu.intent_features import BUCKETS, NAMES, findings, pieces
from nlu.intent_model import NAME
from nlu.intent_rules import Signs, possible, settled
from nlu.types import Asked, Context, Intent, Slot

INTENTS = tuple(Intent)
_PLACE = {intent: place for place, intent in enumerate(INTENTS)}
_FOLDS = 5
_EPOCHS = 30
_BATCH = 64
_VECTOR, _HIDDEN = 32, 64
_COPIES = 3
_LOST_TO_DOUBT = 0.01
"""The share of right judgements that the threshold may turn into doubt."""

_BEFORE = ("医生，", "你好，", "大夫 ", "那个", "请问", "嗯 ", "我想问一下 ", "麻烦问下", "哎 ", "就是", "您好 医生 ")
_AFTER = ("啊", "呢", "吧", "哦", "。", "！", "？", " 谢谢", "，谢谢医生", "呀", "哈", " 急", "了", "~")
_ASKS_FOR_THE_CASE = {Intent.DESCRIBE_SYMPTOMS, Intent.ANSWER, Intent.AFFIRM, Intent.DENY}


@dataclass(frozen=True)
class Sample:
    """A message after a question, its intent, and which example it was made from."""

    text: str
    context: Context
    intent: Intent
    example: int


@dataclass(frozen=True)
class Read:
    """A sample as the model reads it; ``certain`` is the rule that settles it, with whether that rule is right."""

    sample: Sample
    pieces: np.ndarray
    findings: np.ndarray
    possible: np.ndarray
    certain: tuple[str, bool] | None


class _Listener:
    """A judge that only keeps what it is asked."""

    def __init__(self) -> None:
        self.heard: tuple[str, Signs] | None = None

    def judge(self, text: str, context: Context, signs: Signs) -> tuple[Intent, float]:
        self.heard = (text, signs)
        return Intent.OUT_OF_SCOPE, 0.0


class IntentNetwork(torch.nn.Module):
    """Pieces and findings in, one logit for each intent out."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = torch.nn.Parameter(torch.randn(BUCKETS, _VECTOR) * 0.05)
        self.hidden = torch.nn.Linear(_VECTOR + len(NAMES), _HIDDEN)
        self.out = torch.nn.Linear(_HIDDEN + len(NAMES), len(INTENTS))
        self.drop = torch.nn.Dropout(0.3)

    def forward(self, bags: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
        """Logits from summed vectors of the pieces (rows of ``bags``, batch x vector) and the findings."""
        hidden = torch.relu(self.hidden(torch.cat([self.drop(bags), found], 1)))
        return self.out(torch.cat([self.drop(hidden), found], 1))

    def bag(self, of_pieces: list[np.ndarray], keep: float = 1.0) -> torch.Tensor:
        """The summed vectors of each message, divided by the root of how many pieces it has."""
        kept = [ids[np.random.rand(len(ids)) < keep] if keep < 1 else ids for ids in of_pieces]
        flat = torch.from_numpy(np.concatenate(kept))
        offsets = torch.from_numpy(np.cumsum([0, *(len(ids) for ids in kept[:-1])]))
        sums = torch.nn.functional.embedding_bag(flat, self.vectors, offsets, mode="sum")
        sizes = torch.tensor([[max(1, len(ids))] for ids in kept], dtype=torch.float32)
        return sums / sizes.sqrt()


class _Shipped(torch.nn.Module):
    """The network for one message, with its vectors in half precision."""

    def __init__(self, network: IntentNetwork) -> None:
        super().__init__()
        self.vectors = torch.nn.Parameter(network.vectors.detach().half(), requires_grad=False)
        self.network = network
        del network.vectors

    def forward(self, ids: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
        rows = self.vectors[ids].float()
        return self.network(rows.sum(0, keepdim=True) * torch.rsqrt(torch.ones_like(rows[:, :1]).sum()), found)


def train(data: Path, out: Path, seed: int) -> None:
    """Train, calibrate and write ``intents.onnx``, ``intents.json`` and ``intents.md`` to ``out``."""
    del data  # only our own examples
    samples = _samples()
    plain = _read_all(samples, "reading")
    rows = plain + _read_all(_varied(samples, random.Random(seed)), "reading variants")
    impossible = [row for row in plain if row.certain is None and not row.possible[_PLACE[row.sample.intent]]]
    for row in impossible:
        print(f"the rules bar {row.sample.intent}: {row.sample.text} ({row.sample.context.asked})")
    rows = [row for row in rows if row.certain is None and row.possible[_PLACE[row.sample.intent]]]
    logits, judged = _cross_validated(rows, plain, seed)
    temperature = _temperature(logits, judged)
    certainty = _certainty(plain)
    threshold = _threshold(logits, judged, temperature)
    figures = _figures(logits, judged, temperature)
    figures["settled"] = sum(row.certain is not None for row in plain)
    print(json.dumps(figures))
    network = _fit(rows, seed)
    _export(network, out / f"{NAME}.onnx")
    described = {
        "intents": INTENTS,
        "features": NAMES,
        "buckets": BUCKETS,
        "temperature": round(temperature, 4),
        "threshold": round(threshold, 4),
        "certainty": certainty,
        "trained": {"on": f"{datetime.now(UTC):%Y-%m-%d}", "seed": seed, "examples": len(samples), **figures},
    }
    (out / f"{NAME}.json").write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _samples() -> list[Sample]:
    samples = []
    for row in intent_examples():
        asked = Asked(slot=Slot(row.asked), values=row.symptoms) if row.asked else None
        for text in row.texts:
            samples.append(Sample(text, Context(asked=asked), Intent(row.intent), len(samples)))
    return samples


def _varied(samples: list[Sample], chance: random.Random) -> list[Sample]:
    """Each message again with small words around it, a slip of the finger, or after another question."""
    questions = [slot for slot in Slot if slot is not Slot.COMPLAINT]
    varied = []
    for sample in samples:
        for _ in range(_COPIES):
            text, context = _with_slip(_with_courtesy(sample.text, chance), chance), sample.context
            if context.asked is None and chance.random() < 0.4:
                slots = [Slot.COMPLAINT] if sample.intent in _ASKS_FOR_THE_CASE else [Slot.COMPLAINT, *questions]
                context = Context(asked=Asked(slot=chance.choice(slots)))
            varied.append(replace(sample, text=text, context=context))
    return varied


def _with_courtesy(text: str, chance: random.Random) -> str:
    if chance.random() < 0.3:
        text = chance.choice(_BEFORE) + text
    if chance.random() < 0.3:
        text += chance.choice(_AFTER)
    if chance.random() < 0.3:
        text = text.replace(" ", chance.choice(["，", "", "。", ","]))
    return text


def _with_slip(text: str, chance: random.Random) -> str:
    """The text with one character lost or doubled, or two exchanged; short texts stay as they are."""
    if len(text) < 6 or chance.random() < 0.6:
        return text
    place = chance.randrange(len(text) - 1)
    slips = (text[:place] + text[place + 1 :], text[: place + 1] + text[place:])
    return chance.choice((*slips, text[:place] + text[place + 1] + text[place] + text[place + 2 :]))


def _read_all(samples: list[Sample], what: str) -> list[Read]:
    listener = _Listener()
    provider = EmbeddedProvider(judge=listener)
    return [_read(provider, listener, sample) for sample in tqdm(samples, desc=what)]


def _read(provider: EmbeddedProvider, listener: _Listener, sample: Sample) -> Read:
    provider.understand(sample.text, sample.context)
    if listener.heard is None:
        raise ValueError(f"an example is empty: {sample.text!r}")
    text, signs = listener.heard
    certain = settled(signs)
    can_be = possible(sample.context, signs)
    return Read(
        sample,
        pieces(text),
        findings(text, sample.context, signs),
        np.array([intent in can_be for intent in INTENTS]),
        None if certain is None else (certain[1], certain[0] is sample.intent),
    )


def _fit(rows: list[Read], seed: int) -> IntentNetwork:
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    network = IntentNetwork()
    found, barred, gold = _tensors(rows)
    counts = torch.bincount(gold, minlength=len(INTENTS)).float()
    weights = (counts.mean() / counts.clamp(min=1)).sqrt()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 6e-3, epochs=_EPOCHS, steps_per_epoch=-(-len(rows) // _BATCH)
    )
    network.train()
    for _ in tqdm(range(_EPOCHS), desc="training", leave=False):
        for batch in torch.randperm(len(rows)).split(_BATCH):
            bags = network.bag([rows[i].pieces for i in batch], keep=0.8)
            logits = network(bags, found[batch]).masked_fill(barred[batch], -1e4)
            loss = torch.nn.functional.cross_entropy(logits, gold[batch], weights, label_smoothing=0.0)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _tensors(rows: list[Read]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    found = torch.from_numpy(np.stack([row.findings for row in rows]))
    barred = torch.from_numpy(~np.stack([row.possible for row in rows]))
    return found, barred, torch.tensor([_PLACE[row.sample.intent] for row in rows])


@torch.no_grad()
def _logits(network: IntentNetwork, rows: list[Read]) -> np.ndarray:
    """Logits with what is impossible at minus infinity."""
    found, barred, _ = _tensors(rows)
    return network(network.bag([row.pieces for row in rows]), found).masked_fill(barred, -np.inf).numpy()


def _cross_validated(rows: list[Read], plain: list[Read], seed: int) -> tuple[np.ndarray, list[Read]]:
    """The logits of every example that no rule settles, from a model that has seen neither it nor its variants."""
    fold_of = np.random.default_rng(seed).permutation(len(plain)) % _FOLDS
    judged, logits = [], []
    for fold in tqdm(range(_FOLDS), desc="cross-validation"):
        network = _fit([row for row in rows if fold_of[row.sample.example] != fold], seed + fold)
        held_out = [row for row in plain if fold_of[row.sample.example] == fold and row.certain is None]
        judged += held_out
        logits.append(_logits(network, held_out))
    return np.concatenate(logits), judged


def _shares(logits: np.ndarray, temperature: float) -> np.ndarray:
    scaled = logits / temperature
    shares = np.exp(scaled - scaled.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def _gold(rows: list[Read]) -> np.ndarray:
    return np.array([_PLACE[row.sample.intent] for row in rows])


def _temperature(logits: np.ndarray, rows: list[Read]) -> float:
    """The temperature at which the examples are likeliest."""
    gold = _gold(rows)

    def surprise(temperature: float) -> float:
        likely = _shares(logits, temperature)[np.arange(len(gold)), gold]
        return float(-np.log(np.maximum(likely, 1e-6)).mean())

    return float(min(np.arange(0.3, 4.0, 0.02), key=surprise))


def _threshold(logits: np.ndarray, rows: list[Read], temperature: float) -> float:
    """The confidence below which only a hundredth of the right judgements lie."""
    shares = _shares(logits, temperature)
    right = shares.argmax(1) == _gold(rows)
    return float(np.quantile(shares.max(1)[right], _LOST_TO_DOUBT))


def _certainty(rows: list[Read]) -> dict[str, float]:
    """How often each settling rule is right, with one right and one wrong added (Laplace)."""
    return {
        rule: round((sum(hits) + 1) / (len(hits) + 2), 4)
        for rule in ("command", "danger", "cry")
        for hits in [[row.certain[1] for row in rows if row.certain is not None and row.certain[0] == rule]]
    }


def _figures(logits: np.ndarray, rows: list[Read], temperature: float) -> dict[str, float]:
    """Accuracy and expected calibration error (ten bins) of the cross-validation."""
    shares = _shares(logits, temperature)
    sure, right = shares.max(1), shares.argmax(1) == _gold(rows)
    bins = np.minimum((sure * 10).astype(int), 9)
    error = sum(abs(sure[bins == b].sum() - right[bins == b].sum()) for b in range(10)) / len(rows)
    return {"accuracy": round(float(right.mean()), 4), "calibration_error": round(float(error), 4)}


def _export(network: IntentNetwork, path: Path) -> None:
    shipped = _Shipped(network).eval()
    example = (torch.arange(5), torch.zeros(1, len(NAMES)))
    torch.onnx.export(
        shipped,
        example,
        str(path),
        input_names=["pieces", "findings"],
        output_names=["logits"],
        dynamic_axes={"pieces": {0: "pieces"}},
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(str(path)))
