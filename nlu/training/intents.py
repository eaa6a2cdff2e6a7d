"""Train the model of intents from our own examples alone (``data/nlu/intent_examples.json``), from no public set.

Logistic regression over the pieces of the text and what the rules found in it. A network with a hidden layer was tried
and was five points worse: there are too few examples for one. Five models, each trained without a fifth of the
examples, judge that fifth: from their judgements come the temperature, the threshold and the figures of the card; the
model that ships has seen every example.
"""

import json
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
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
_PENALTY = 3.0
_PIECE_SCALE = 3.0
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


def train(data: Path, out: Path, seed: int) -> None:
    """Train, calibrate and write ``intents.onnx`` and ``intents.json`` to ``out``; print the figures for the card."""
    del data  # only our own examples
    samples = _samples()
    plain = _read_all(samples, "reading")
    rows = plain + _read_all(_varied(samples, random.Random(seed)), "reading variants")
    for row in plain:
        if row.certain is not None or row.possible[_PLACE[row.sample.intent]]:
            continue
        print(f"the rules bar {row.sample.intent}: {row.sample.text} ({row.sample.context.asked})")
    rows = [row for row in rows if row.certain is None and row.possible[_PLACE[row.sample.intent]]]
    logits, judged = _cross_validated(rows, plain, seed)
    temperature = _temperature(logits, judged)
    certainty = _certainty(plain)
    threshold = _threshold(logits, judged, temperature)
    figures = _figures(logits, judged, temperature)
    figures["settled"] = sum(row.certain is not None for row in plain)
    print(json.dumps(figures))
    _export(_fit(rows), out / f"{NAME}.onnx")
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
    can_be = possible(text, sample.context, signs)
    return Read(
        sample,
        pieces(text),
        findings(text, sample.context, signs),
        np.array([intent in can_be for intent in INTENTS]),
        None if certain is None else (certain[1], certain[0] is sample.intent),
    )


def _matrix(rows: list[Read]) -> csr_matrix:
    """One row a message: its pieces, scaled to the same length whatever their number, and the findings."""
    held = [row.pieces for row in rows]
    values = np.concatenate([np.full(len(ids), _PIECE_SCALE / np.sqrt(len(ids))) for ids in held])
    starts = np.cumsum([0, *(len(ids) for ids in held)])
    texts = csr_matrix((values, np.concatenate(held), starts), shape=(len(rows), BUCKETS))
    return hstack([texts, csr_matrix(np.stack([row.findings for row in rows]))]).tocsr()


def _fit(rows: list[Read]) -> LogisticRegression:
    """The model of these rows; an intent with many examples counts by the root of their number, not by the number."""
    gold = _gold(rows)
    counts = np.bincount(gold, minlength=len(INTENTS))
    weights = np.sqrt(counts.mean() / np.maximum(counts, 1))
    return LogisticRegression(C=_PENALTY, max_iter=200, tol=1e-3).fit(_matrix(rows), gold, weights[gold])


def _logits(model: LogisticRegression, rows: list[Read]) -> np.ndarray:
    """Logits with what is impossible at minus infinity."""
    barred = ~np.stack([row.possible for row in rows])
    return np.where(barred, -np.inf, model.decision_function(_matrix(rows)))


def _cross_validated(rows: list[Read], plain: list[Read], seed: int) -> tuple[np.ndarray, list[Read]]:
    """The logits of every example that no rule settles, from a model that has seen neither it nor its variants."""
    fold_of = np.random.default_rng(seed).permutation(len(plain)) % _FOLDS
    judged, logits = [], []
    for fold in tqdm(range(_FOLDS), desc="cross-validation"):
        model = _fit([row for row in rows if fold_of[row.sample.example] != fold])
        held_out = [row for row in plain if fold_of[row.sample.example] == fold and row.certain is None]
        judged += held_out
        logits.append(_logits(model, held_out))
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


def _export(model: LogisticRegression, path: Path) -> None:
    """The weights as a graph: the weights of the pieces are summed, those of the findings multiplied."""
    weights = model.coef_.T.astype(np.float32)
    held = {
        "of_pieces": (weights[:BUCKETS] * _PIECE_SCALE).astype(np.float16),
        "of_findings": weights[BUCKETS:],
        "bias": model.intercept_.astype(np.float32),
        "first": np.array([0], np.int64),
        "half": np.array([-0.5], np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["of_pieces", "pieces"], ["rows_half"], axis=0),
        helper.make_node("Cast", ["rows_half"], ["rows"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["rows", "first"], ["summed"], keepdims=1),
        helper.make_node("Shape", ["pieces"], ["count"]),
        helper.make_node("Cast", ["count"], ["count_float"], to=TensorProto.FLOAT),
        helper.make_node("Pow", ["count_float", "half"], ["scale"]),
        helper.make_node("Mul", ["summed", "scale"], ["from_text"]),
        helper.make_node("MatMul", ["findings", "of_findings"], ["from_findings"]),
        helper.make_node("Sum", ["from_text", "from_findings", "bias"], ["logits"]),
    ]
    inputs = [
        helper.make_tensor_value_info("pieces", TensorProto.INT64, ["pieces"]),
        helper.make_tensor_value_info("findings", TensorProto.FLOAT, [1, len(NAMES)]),
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(INTENTS)])]
    stored = [numpy_helper.from_array(value, name) for name, value in held.items()]
    graph = helper.make_graph(nodes, NAME, inputs, outputs, stored)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    onnx.save(made, str(path))
