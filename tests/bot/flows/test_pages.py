"""A long text in pages: nothing is lost, every page fits, and its answers can be tapped."""

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.rules import fit
from bot.flows.pages import last_page, packed, paged
from bot.messages import Choice, Menu, Text

CHOICES = tuple(Choice(f"do:{number}", "改诊断和嘱咐") for number in range(9))
ONWARD = Choice("page:1", "接着看")
blocks_of_text = st.lists(st.integers(1, 450).map(lambda length: "药" * length), max_size=12)


@given(blocks=blocks_of_text)
def test_all_pages_together_say_everything_and_each_fits_after_a_tap(blocks: list[str]) -> None:
    said: list[str] = []
    last = last_page(blocks, "共5种药。")
    for page in range(last + 1):
        messages = paged(blocks, "共5种药。", CHOICES, page, ONWARD)
        sent = [piece for message in messages for piece in fit(message, 2048)]
        assert len(sent) <= 3
        menu = sent[-1]
        assert isinstance(menu, Menu)
        assert set(CHOICES) <= set(menu.choices)
        assert (ONWARD in menu.choices) is (page < last)
        said += [one.text for one in sent if isinstance(one, Text)]
        said += [menu.head] if len(messages) == 1 else []
    assert "".join(said).count("药") - ("共5种药。" in "".join(said)) == sum(map(len, blocks))


@given(blocks=blocks_of_text, limit=st.integers(100, 2000))
def test_what_belongs_together_is_never_cut(blocks: list[str], limit: int) -> None:
    texts = packed(blocks, limit)
    assert "\n".join(texts).split("\n") == ("\n".join(blocks).split("\n") if blocks else [""])
    assert all(len(text.encode()) <= limit or text in blocks for text in texts)
