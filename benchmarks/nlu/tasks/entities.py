"""The spans that the product recognises, in the types of the entity set (IMCS-V2): measured, never trained on."""

import re
from typing import Any

from nlu.embedded import EmbeddedProvider
from nlu.types import Context, Entity

_PROVIDER = EmbeddedProvider()

TYPES = {
    "symptom": "Symptom",
    "disease": "Symptom",
    "drug": "Drug",
    "examination": "Medical_Examination",
    "operation": "Operation",
    "treatment": "Operation",
}
CATEGORIES = frozenset(
    (
        *(
            "益生菌",
            "退烧药",
            "消炎药",
            "感冒药",
            "止咳药",
            "止泻药",
            "钙片",
            "铁剂",
            "锌剂",
            "止痛药",
            "降压药",
            "降糖药",
        ),
        *(
            "安眠药",
            "避孕药",
            "化痰药",
            "抗病毒药",
            "助消化药",
            "抗过敏药",
            "激素",
            "维生素",
            "清热解毒药",
            "免疫调节剂",
        ),
        *("通便药", "止吐药"),
    )
)
"""Our names of drugs that stand for a whole class."""
CLASS_WORDS = re.compile("药|益生|抗生素|抗菌|制剂|锌|钙|铁|激素|维生素|活菌|退[热烧]贴|调节剂|脐贴")
"""Words for a class; a brand (妈咪爱) is a drug to the set."""


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """The spans of a sentence."""
    entities = _PROVIDER.understand(row["text"], Context()).entities
    return {
        "entities": [
            {
                "start": entity.start,
                "end": entity.end,
                "type": _type(entity),
            }
            for entity in entities
            if entity.kind in TYPES
        ]
    }


def _type(entity: Entity) -> str:
    of_a_class = entity.value in CATEGORIES and CLASS_WORDS.search(entity.text)
    return "Drug_Category" if of_a_class else TYPES[entity.kind]
