from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import pairwise
from unicodedata import combining, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from providers.names import Name, NameIndex
from providers.pseudonyms import Veil, strings_in, with_strings

KNOWN = (
    Name("person", "Anaïs Dupré"),
    Name("person", "Søren Kierkegaard-Olsen"),
    Name("account", "Acme Retail"),
    Name("account", "L'Oréal"),
    Name("account", "HP"),
    Name("account", "Target"),
    Name("account", "東京商事"),
    Name("site", "acme-retail.com"),
)
INDEX = NameIndex(KNOWN)
LONG = [name for name in KNOWN if name.text != "HP"]
noise = st.text(alphabet=st.characters(codec=None, exclude_categories=[]), max_size=30)
pieces = st.lists(
    st.one_of(
        noise,
        st.sampled_from([name.text for name in KNOWN]),
        st.sampled_from(["ana@acme.io", "+33 6 12 34 56 78", "person_1a2b0", "account_", "person_person_", "\\u00e9"]),
        st.from_regex(r"(person|account|site)_[0-9a-f]{0,6}", fullmatch=True),
    ),
    max_size=8,
).map("".join)


def veil(*texts: str) -> Veil:
    return Veil(texts, INDEX, "salt")


def bare(text: str) -> str:
    return "".join(sign for sign in normalize("NFKD", text) if not combining(sign))


WRITINGS = (
    str.upper,
    str.lower,
    str.title,
    bare,
    lambda text: normalize("NFD", text),
    lambda text: f"{text}'s",
    lambda text: text.replace(" ", "-").lower(),
    lambda text: text.replace(" ", "\n"),
    "\u200b".join,
    lambda text: json.dumps(text)[1:-1],
)


@given(text=pieces)
def test_what_is_hidden_comes_back_exactly(text: str) -> None:
    found = veil(text)
    assert found.restore(found.hide(text)) == text


@given(before=pieces, name=st.sampled_from(LONG), write=st.sampled_from(WRITINGS), after=pieces)
def test_no_known_name_survives_in_any_writing(before: str, name: Name, write: object, after: str) -> None:
    assert callable(write)
    written = str(write(name.text))
    text = f"{before} {written} {after}"
    hidden = veil(text).hide(text)
    assert f" {written} " not in f" {hidden} "
    again = [one for one in INDEX.find(hidden) if one.kind in {"person", "account", "site"}]
    assert again == []


@given(text=pieces, cuts=st.lists(st.integers(0, 400), max_size=12), in_json=st.booleans())
def test_a_text_in_pieces_is_restored_as_the_whole(text: str, cuts: Iterable[int], in_json: bool) -> None:
    found = veil(text)
    hidden = found.hide(text)
    restorer, places = (
        found.restorer(in_json=in_json),
        [0, *sorted(cut for cut in cuts if cut < len(hidden)), len(hidden)],
    )
    given_on = [restorer.feed(hidden[a:b]) for a, b in pairwise(places)]
    assert "".join(given_on) + restorer.flush() == found.restore(hidden, in_json=in_json)


def test_a_piece_waits_only_while_it_may_be_a_placeholder() -> None:
    found = veil("Acme Retail")
    placeholder = found.hide("Acme Retail")
    restorer = found.restorer()
    assert restorer.feed("The acc") == "The "
    assert restorer.feed("ident at ") == "accident at "
    assert restorer.feed(placeholder[:-1]) == ""
    assert restorer.feed(placeholder[-1]) == "Acme Retail"


def test_placeholders_tell_the_kind_and_nothing_of_the_name() -> None:
    text = "Anaïs Dupré of Acme Retail (anais@acme-retail.com, +33 6 12 34 56 78) and DUPRÉ ANAIS, ANAÏS DUPRÉ"
    hidden = veil(text).hide(text)
    shape = re.sub(r"_[0-9a-f]{5}", "_", hidden)
    assert shape == "person_ of account_ (mail_, phone_) and DUPRÉ ANAIS, person_"
    one, two = re.findall(r"person_([0-9a-f]{4})", hidden)
    assert one == two
    assert veil(text).hide(text) == hidden
    assert Veil([text], INDEX, "other salt").hide(text) != hidden


def test_what_looks_like_a_number_of_money_or_time_is_left() -> None:
    text = (
        "1 200 000 EUR on 2026-11-22T10:00:00Z, ROAS 3.25, ids 0123, 555 1234, v1.2.3.4, 12,500.00, hp and the targets"
    )
    assert veil(text).hide(text) == text


def test_a_model_that_invents_placeholders_changes_nothing_else() -> None:
    text = "Write to Acme Retail"
    found = veil(text)
    real = found.hide(text).removeprefix("Write to ")
    said = f"{real.upper()}, person_00000, account_zzzz, {real}s and account_"
    assert found.restore(said) == "Acme Retail, person_00000, account_zzzz, Acme Retails and account_"


def test_names_with_signs_of_json_stay_json() -> None:
    index = NameIndex([Name("account", 'The "Best" Co\\'), Name("person", "Anaïs Dupré")])
    value: dict[str, JsonValue] = {"who": 'The "Best" Co\\', "then": ["Anaïs Dupré", 3, None]}
    found = Veil(strings_in(value), index, "salt")
    said = json.dumps(with_strings(value, found.hide))
    assert "Best" not in said
    assert json.loads(found.restore(said, in_json=True)) == value


def test_words_of_a_schema_are_kept_and_its_choices_hidden() -> None:
    index = NameIndex([Name("account", "String"), Name("account", "Acme")])
    schema: dict[str, JsonValue] = {
        "type": "string",
        "enum": ["Acme", "string"],
        "properties": {"Acme": {"type": "string"}},
    }
    hidden = with_strings(schema, Veil(strings_in(schema), index, "s").hide)
    assert isinstance(hidden, dict)
    assert hidden["type"] == "string"
    assert "Acme" not in str(hidden["enum"])
    assert hidden["properties"] == {"Acme": {"type": "string"}}


@pytest.mark.parametrize("text", ["", "no names here", "_", "\ud800"])
def test_without_names_nothing_changes(text: str) -> None:
    found = veil(text)
    assert (found.hide(text), found.size) == (text, 0)
    assert found.restorer().feed(text) == text
