"""One module a task: ``answer(row)`` turns a row of the public set, without its gold fields, into the answer's fields.

Each maps the names of the product to the names of its set, and asks the same code that serves patients and doctors.
"""
