"""Row and payload models: fields, defaults, coercions, rules, and the shapes of their errors."""

import math

import pytest
from pydantic import BaseModel, ValidationError

from crv.core import schema
from crv.core.errors import GrammarError, SchemaError
from crv.core.grammar import ActionKind, ExchangeKind, PatchOp, RepresentationEdgeKind, Visibility

# Fields in order: `!` required, else the default.
SCENARIO = (
    "token_id=None owner_status=None peer_alignment_label=None group_label=None visibility_scope=None "
    "channel_name=None salient_agent_pairs=[] exchange_snapshot={} recent_affect_index=None "
    "salient_other_agent_id=None"
)
FIELDS = {
    "Utterance": "act! topic! stance=None claims=[] style={} audience=[]",
    "Interpretation": "event_type! targets=[] inferred={} salience!",
    "AppraisalVector": "valence! arousal! certainty! novelty! goal_congruence!",
    "GraphEdit": "operation! edge_kind! subject_id=None object_id=None related_agent_id=None token_id=None "
    "new_weight=None delta_weight=None scope_selector=None decay_lambda=None",
    "RepresentationPatch": "edits=[] energy_delta=None",
    "ActionCandidate": "action_type! parameters={} score! key!",
    "DecisionHead": "token_value_estimates={} action_candidates=[] abstain=False temperature=0.0",
    "ScenarioContext": SCENARIO,
    "Persona": "persona_id! label! traits={}",
    "AffectState": "valence=0.5 arousal=0.5 stress=0.0",
    "EventEnvelopeRow": "time_created! scheduled_step! envelope_kind! actor_agent_id=None observer_agent_id=None "
    "channel_name=None visibility_scope=None payload={} origin={} status!",
    "MessageRow": "tick! sender_agent_id! channel_name! visibility_scope! audience! speech_act! topic_label! "
    "stance_label=None claims={} style={}",
    "ExchangeRow": "tick! venue_id! token_id! exchange_event_type! side=None quantity=None price=None "
    "actor_agent_id=None counterparty_agent_id=None baseline_value=None additional_payload={}",
    "IdentityEdgeRow": "tick! observer_agent_id! edge_kind! subject_id=None object_id=None related_agent_id=None "
    "token_id=None edge_weight! edge_sign=None",
    "ScenarioRow": f"tick! observer_agent_id! {SCENARIO} context_hash!",
    "DecisionRow": "tick! agent_id! chosen_action! action_candidates! token_value_estimates!",
    "OracleCallRow": "tick! agent_id! engine! signature_id! persona_id! persona_hash! representation_hash! "
    "context_hash! value_json! latency_ms! cache_hit! n_tool_calls! tool_seq={}",
    "HoldingsRow": "tick! agent_id! token_id! quantity!",
    "HoldingsValuationRow": "tick! agent_id! token_id! quantity! avg_unit_cost=None cost_value=None mark_price=None "
    "mark_value=None realized_pnl=None unrealized_pnl=None price_source=None accounting_method=None",
}
UNIT = dict(valence=0, arousal=1, certainty=0.5, novelty="0.25", goal_congruence=True)
LEAST = {
    "Utterance": dict(act="claim", topic="price"),
    "Interpretation": dict(event_type="trade", salience=0.5),
    "AppraisalVector": UNIT,
    "GraphEdit": dict(operation="remove_identity_edge", edge_kind="self_to_agent"),
    "RepresentationPatch": {},
    "ActionCandidate": dict(action_type="gift_token", score=1, key="gift_token"),
    "DecisionHead": {},
    "ScenarioContext": {},
    "Persona": dict(persona_id="p", label="P"),
    "AffectState": {},
    "EventEnvelopeRow": dict(time_created=1, scheduled_step=2, envelope_kind="action", status="pending"),
    "MessageRow": dict(
        tick=1, sender_agent_id="a", channel_name="c", visibility_scope="dm", audience={}, speech_act="s",
        topic_label="t",
    ),
    "ExchangeRow": dict(tick=1, venue_id="v", token_id="t", exchange_event_type="trade"),
    "IdentityEdgeRow": dict(tick=1, observer_agent_id="a", edge_kind="self_to_positive_valence", edge_weight=0.5),
    "ScenarioRow": dict(tick=1, observer_agent_id="a", context_hash="h"),
    "DecisionRow": dict(tick=1, agent_id="a", chosen_action={}, action_candidates=[], token_value_estimates={}),
    "OracleCallRow": dict(
        tick=1, agent_id="a", engine="e", signature_id="s", persona_id="p", persona_hash="h", representation_hash="r",
        context_hash="c", value_json="{}", latency_ms=3, cache_hit=False, n_tool_calls=0,
    ),
    "HoldingsRow": dict(tick=1, agent_id="a", token_id="t", quantity=-5),
    "HoldingsValuationRow": dict(tick=1, agent_id="a", token_id="t", quantity=5),
}


def make(name, **changes):
    return getattr(schema, name)(**{**LEAST[name], **changes})


def refusal(name, **changes):
    """The one error that a model gives."""
    with pytest.raises(ValidationError) as caught:
        make(name, **changes)
    (error,) = caught.value.errors()
    return error


def refuses_by_rule(cls, name, **changes):
    error = refusal(name, **changes)
    inner = error["ctx"]["error"]
    assert type(inner) is cls and isinstance(inner, ValueError)
    assert error["type"] == "value_error"
    assert error["msg"] == f"Value error, {inner}"
    return error


@pytest.mark.parametrize("name", FIELDS)
def test_fields_in_order_and_defaults(name):
    model = getattr(schema, name)
    assert issubclass(model, BaseModel)
    told = []
    for field, info in model.model_fields.items():
        told.append(f"{field}!" if info.is_required() else f"{field}={info.get_default(call_default_factory=True)}")
        assert info.description
    assert told == FIELDS[name].split()


def test_these_are_all_models():
    assert sorted(FIELDS) == sorted(schema.__all__)


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_required_is_enough_and_needed(name):
    row = make(name)
    assert make(name) == row
    for field in getattr(schema, name).model_fields:
        if f"{field}!" in FIELDS[name].split():
            given = {key: value for key, value in LEAST[name].items() if key != field}
            with pytest.raises(ValidationError) as caught:
                getattr(schema, name)(**given)
            assert [(e["type"], e["loc"]) for e in caught.value.errors()] == [("missing", (field,))]


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("extra", ["bucket", "nonesuch"])
def test_unknown_fields_are_refused(name, extra):
    error = refusal(name, **{extra: 1})
    assert (error["type"], error["loc"]) == ("extra_forbidden", (extra,))


def test_defaults_are_fresh_each_time():
    first = make("Utterance")
    first.claims.append({})
    first.style["x"] = 1
    assert (make("Utterance").claims, make("Utterance").style) == ([], {})
    message = make("MessageRow")
    message.claims["x"] = 1
    assert make("MessageRow").claims == {}


def test_models_are_neither_frozen_nor_checked_on_assignment_nor_hashable():
    row = make("IdentityEdgeRow")
    row.tick = "not checked"
    row.edge_kind = "nor this"
    assert row.tick == "not checked"
    with pytest.raises(TypeError):
        hash(row)


@pytest.mark.parametrize(
    ("given", "tick"), [("7", 7), ("7.0", 7), (7.0, 7), (True, 1), (b"7", 7), (2**80, 2**80), (-1, -1)]
)
def test_integers_are_lax(given, tick):
    row = make("HoldingsRow", tick=given)
    assert (row.tick, type(row.tick)) == (tick, int)


@pytest.mark.parametrize("given", [7.5, "x", None, [], {}])
def test_what_is_no_integer(given):
    assert refusal("HoldingsRow", tick=given)["loc"] == ("tick",)


@pytest.mark.parametrize(("given", "price"), [(1, 1.0), (True, 1.0), ("1.5", 1.5), (b"2", 2.0), ("inf", math.inf)])
def test_floats_are_lax(given, price):
    row = make("ExchangeRow", price=given)
    assert (row.price, type(row.price)) == (price, float)


def test_nan_is_a_float_but_within_no_bounds():
    assert math.isnan(make("ExchangeRow", price="nan").price)
    assert math.isnan(make("ExchangeRow", price=math.nan).price)
    assert refusal("AffectState", stress=math.nan)["loc"] == ("stress",)
    assert refusal("GraphEdit", decay_lambda=math.nan)["loc"] == ("decay_lambda",)


@pytest.mark.parametrize(
    ("name", "field"),
    [("Interpretation", "salience"), ("GraphEdit", "decay_lambda")]
    + [("AppraisalVector", field) for field in UNIT]
    + [("AffectState", field) for field in ("valence", "arousal", "stress")],
)
def test_bounds_are_those_of_pydantic(name, field):
    for good in (0, 1, 0.5):
        assert getattr(make(name, **{field: good}), field) == good
    low = refusal(name, **{field: -0.001})
    assert (low["type"], low["loc"], low["ctx"]) == ("greater_than_equal", (field,), {"ge": 0.0})
    high = refusal(name, **{field: 1.001})
    assert (high["type"], high["loc"], high["ctx"]) == ("less_than_equal", (field,), {"le": 1.0})


def test_texts_are_texts_or_bytes():
    assert make("HoldingsRow", agent_id=b"a1").agent_id == "a1"
    assert make("HoldingsRow", agent_id=bytearray(b"a1")).agent_id == "a1"
    for bad in (1, 1.5, None):
        assert refusal("HoldingsRow", agent_id=bad)["type"] == "string_type"


def test_flags_are_lax():
    for given, hit in ((0, False), (1, True), ("yes", True), ("true", True), ("off", False), (1.0, True)):
        assert make("OracleCallRow", cache_hit=given).cache_hit is hit
    assert refusal("OracleCallRow", cache_hit=2)["type"] == "bool_parsing"


def test_dicts_of_floats():
    row = make("DecisionRow", token_value_estimates={"t": 1, "u": "2.5"})
    assert row.token_value_estimates == {"t": 1.0, "u": 2.5}
    error = refusal("DecisionRow", token_value_estimates={"t": "x"})
    assert (error["type"], error["loc"]) == ("float_parsing", ("token_value_estimates", "t"))


def test_models_inside_models():
    patch = schema.RepresentationPatch(edits=[LEAST["GraphEdit"], make("GraphEdit")])
    assert patch.edits == [make("GraphEdit")] * 2
    error = refusal("RepresentationPatch", edits=[{**LEAST["GraphEdit"], "edge_kind": "x"}])
    assert (error["loc"], type(error["ctx"]["error"])) == (("edits", 0, "edge_kind"), GrammarError)
    head = schema.DecisionHead(action_candidates=[LEAST["ActionCandidate"]])
    assert head.action_candidates == [make("ActionCandidate")]


@pytest.mark.parametrize(
    ("name", "field", "enum"),
    [
        ("GraphEdit", "operation", PatchOp),
        ("GraphEdit", "edge_kind", RepresentationEdgeKind),
        ("ActionCandidate", "action_type", ActionKind),
    ],
)
def test_words_of_an_enum_are_exact(name, field, enum):
    for member in enum:
        assert getattr(make(name, **{field: member.value}), field) == member.value
        # A member is no text: what str() makes of it is no word.
        refuses_by_rule(GrammarError, name, **{field: member})
    first = next(iter(enum)).value
    for bad in (first.upper(), f" {first}", f"{first}\n", "nonesuch", "", 5, first.encode()):
        assert refuses_by_rule(GrammarError, name, **{field: bad})["loc"] == (field,)


def test_edge_kinds_of_rows_are_exact_too():
    refuses_by_rule(GrammarError, "IdentityEdgeRow", edge_kind="SELF_TO_AGENT")
    refuses_by_rule(GrammarError, "IdentityEdgeRow", edge_kind=RepresentationEdgeKind.SELF_TO_AGENT)


def test_a_null_for_a_word():
    refuses_by_rule(GrammarError, "GraphEdit", operation=None)
    assert refusal("GraphEdit", edge_kind=None)["type"] == "string_type"
    assert "none" in refuses_by_rule(GrammarError, "MessageRow", visibility_scope=None)["msg"]
    assert refusal("EventEnvelopeRow", status=None)["type"] == "string_type"


@pytest.mark.parametrize("name", ["ScenarioContext", "ScenarioRow", "EventEnvelopeRow", "MessageRow"])
def test_visibility_is_folded(name):
    for given in ("public", "GROUP", "Room", "dM"):
        assert make(name, visibility_scope=given).visibility_scope == given.lower()
    for bad in ("", " dm", "friends", 5, Visibility.DM, b"dm"):
        assert refuses_by_rule(GrammarError, name, visibility_scope=bad)["loc"] == ("visibility_scope",)


@pytest.mark.parametrize("name", ["ScenarioContext", "ScenarioRow", "EventEnvelopeRow"])
def test_visibility_may_be_null_but_not_in_messages(name):
    assert make(name, visibility_scope=None).visibility_scope is None


@pytest.mark.parametrize(
    ("field", "words"),
    [("envelope_kind", ["action", "observation"]), ("status", ["pending", "executed", "rejected"])],
)
def test_envelopes(field, words):
    for word in words:
        assert getattr(make("EventEnvelopeRow", **{field: word.title()}), field) == word
    # A number was an AttributeError once.
    for bad in ("", "nonesuch", 5, f"{words[0]} "):
        assert refuses_by_rule(GrammarError, "EventEnvelopeRow", **{field: bad})["loc"] == (field,)


def test_sides():
    for given, side in (("buy", "buy"), ("SELL", "sell"), (None, None)):
        assert make("ExchangeRow", side=given).side == side
    for bad in ("", "hold", 1, " buy"):
        refuses_by_rule(GrammarError, "ExchangeRow", side=bad)


def test_exchange_event_types_are_members_of_exchange_kind():
    for kind in ExchangeKind:
        assert make("ExchangeRow", exchange_event_type=kind.value).exchange_event_type == kind.value
    for bad in ("Trade", "", "a b", "trade\n", "my_own_event", "7", 7, ExchangeKind.TRADE):
        refuses_by_rule(GrammarError, "ExchangeRow", exchange_event_type=bad)


def test_no_ranges_are_checked_where_the_model_has_none():
    make("ExchangeRow", tick=-5, quantity=-1, price=-2)
    make("OracleCallRow", latency_ms=-1, n_tool_calls=-1)
    make("IdentityEdgeRow", edge_sign=7)


@pytest.mark.parametrize("given", [{}, [], "text", 5, None])
def test_any_value(given):
    row = make("MessageRow", audience=given, claims=given, style=given)
    assert (row.audience, row.claims, row.style) == (given, given, given)


NEEDS = {
    "self_to_positive_valence": [],
    "self_to_negative_valence": [],
    "self_to_object": ["subject_id", "token_id"],
    "agent_to_object": ["subject_id", "token_id"],
    "self_to_agent": ["object_id", "subject_id"],
    "agent_to_agent": ["object_id", "subject_id"],
    "object_to_object": ["object_id", "subject_id"],
    "agent_to_positive_valence": ["subject_id"],
    "agent_to_negative_valence": ["subject_id"],
    "agent_pair_to_object": ["related_agent_id", "subject_id", "token_id"],
    "object_to_positive_valence": ["token_id"],
    "object_to_negative_valence": ["token_id"],
}


@pytest.mark.parametrize("kind", RepresentationEdgeKind)
def test_slots_that_an_edge_needs(kind):
    needs = NEEDS[kind.value]
    slots = {"subject_id": "a", "object_id": "b", "related_agent_id": "c", "token_id": "d"}
    make("IdentityEdgeRow", edge_kind=kind.value, **slots)
    make("IdentityEdgeRow", edge_kind=kind.value, **{slot: slots[slot] for slot in needs})
    for slot in needs:
        for empty in (None, ""):
            error = refuses_by_rule(SchemaError, "IdentityEdgeRow", edge_kind=kind.value, **{**slots, slot: empty})
            assert error["loc"] == ()
            assert "requires fields" in error["msg"]
            assert ", ".join(needs) in error["msg"]
    for slot in set(slots) - set(needs):
        make("IdentityEdgeRow", edge_kind=kind.value, **{**slots, slot: None})


def test_slots_are_checked_after_the_fields():
    error = refusal("IdentityEdgeRow", edge_kind="self_to_agent", edge_weight="x")
    assert (error["type"], error["loc"]) == ("float_parsing", ("edge_weight",))


def test_no_rule_ties_an_operation_to_weights_or_slots():
    make("GraphEdit", operation="set_identity_edge_weight", edge_kind="agent_pair_to_object", delta_weight=1)


def test_errors_carry_facts():
    inner = refusal("IdentityEdgeRow", edge_kind="Bad")["ctx"]["error"]
    assert (inner.code, inner.facts) == ("grammar", {"table": "identity_edges", "column": "edge_kind", "value": "Bad"})
    inner = refusal("IdentityEdgeRow", edge_kind="self_to_agent")["ctx"]["error"]
    assert inner.code == "schema_rule"
    assert inner.facts == {"table": "identity_edges", "column": "object_id", "value": "self_to_agent"}


def test_a_model_of_a_user_that_derives_from_one_keeps_its_rules():
    class Mine(schema.IdentityEdgeRow):
        note: str = ""

    with pytest.raises(ValidationError, match="requires fields"):
        Mine(**LEAST["IdentityEdgeRow"] | {"edge_kind": "self_to_agent"}, note="x")


def test_models_survive_json():
    for name in FIELDS:
        row = make(name)
        assert type(row).model_validate_json(row.model_dump_json()) == row
