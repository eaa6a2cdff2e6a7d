"""How well and how fast the language understanding works, measured on public consultations.

``python -m benchmarks.nlu --data FOLDER`` prints every figure beside its baseline and its target. It finds

- the tasks of a public set: every module of ``benchmarks.nlu.tasks`` with ``answer(row) -> dict``, run by the scorer;
- measures of our own: every module of this package (``red_flags``, ``intents``, ``interview`` …) that has
  ``measure(data: Path) -> dict[str, float]``. ``data`` is the folder of the public sets (a measure may leave it
  unread); the result gives each figure by a short name that says its unit (``found, %``), in the order of reading.
"""
