"""Random nested values that drift from append to append, and a plain model of what a reader must make of them.

The model knows nothing of Arrow: types are "i64", "f64", "str", "bool", None (not known yet), ("list", T) and
("struct", {name: T}).
"""

from hypothesis import strategies as st

NAMES = ["a", "b", "c", "kind", "ids", "naïve"]
LEAVES = ["i64", "f64", "str", "bool"]

TYPES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(st.just("list"), inner),
        st.tuples(st.just("struct"), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4))),
    max_leaves=8)
# What a struct column may hold over a whole run; each append has a part of it.
UNIVERSES = st.dictionaries(st.sampled_from(NAMES), TYPES, min_size=1, max_size=4).map(lambda f: ("struct", f))


def values(kind, *, widens=True):
    """Values of a type. A float path may be given integers; anything may be null; fields may be left out."""
    if kind == "i64":
        return st.none() | st.integers(-(2**53), 2**53)
    if kind == "f64":
        floats = st.floats(allow_nan=False, width=64)
        return st.none() | (floats | st.integers(-1000, 1000) if widens else floats)
    if kind == "str":
        return st.none() | st.text(max_size=4)
    if kind == "bool":
        return st.none() | st.booleans()
    word, inner = kind
    if word == "list":
        return st.none() | st.lists(values(inner), max_size=3)
    return st.none() | structs(kind)


def structs(kind):
    return st.fixed_dictionaries({}, optional={name: values(inner) for name, inner in kind[1].items()})


def type_of(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "i64"
    if isinstance(value, float):
        return "f64"
    if isinstance(value, str):
        return "str"
    if isinstance(value, list):
        inner = None
        for item in value:
            inner = unite(inner, type_of(item))
        return ("list", inner)
    return ("struct", {name: type_of(item) for name, item in value.items()})


def unite(one, other):
    if one is None or one == other:
        return other
    if other is None:
        return one
    if {one, other} == {"i64", "f64"} if isinstance(one, str) and isinstance(other, str) else False:
        return "f64"
    if one[0] == "list":
        return ("list", unite(one[1], other[1]))
    names = [*one[1], *(name for name in other[1] if name not in one[1])]
    return ("struct", {name: unite(one[1].get(name), other[1].get(name)) for name in names})


def widened(value, kind):
    """The value as a reader gives it where the table holds `kind`."""
    if value is None:
        return None
    if kind == "f64":
        return float(value)
    if isinstance(kind, str) or kind is None:
        return value
    if kind[0] == "list":
        return [widened(item, kind[1]) for item in value]
    return {name: widened(value.get(name), inner) for name, inner in kind[1].items()}


def same(one, other):
    """Equal in value and type, a struct's fields in any order; -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other) if isinstance(one, float) else one == other
