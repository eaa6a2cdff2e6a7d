"""How well and how fast the language understanding works, measured on public consultations.

``python -m benchmarks.nlu --data FOLDER`` prints every figure beside its baseline and its target. It finds

- the tasks of a public set: every module of ``benchmarks.nlu.tasks`` with ``answer(row) -> dict``, run by the scorer;
- measures of our own: every entry of ``benchmarks.nlu.measures.MEASURES``, a function of the folder of the public sets
  (which it may leave unread) that gives each figure by a short name with its unit (``found, %``), in the order of
  reading.

``benchmarks.nlu.targets`` holds what they are measured against.
"""
