// The rules of the row and payload models, one by one.
#include "crv/core/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>
#include <map>
#include <set>

#include "core/refusal.h"
#include "crv/core/descriptor.h"
#include "crv/core/grammar.h"
#include "crv/core/rules.h"

namespace crv::core {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::refusal;

template <class Model>
std::string broken_word(Model model, ErrorFacts* facts = nullptr) {
  return refusal<GrammarError>(
      ErrorCode::grammar, [&] { validate(model); }, facts);
}

template <class Model>
std::string broken_rule(Model model, ErrorFacts* facts = nullptr) {
  return refusal<SchemaError>(
      ErrorCode::schema_rule, [&] { validate(model); }, facts);
}

TEST(Rows, AreTheColumnsOfTheirTableButBucket) {
  std::set<std::string_view> tables;
  const auto check = [&]<class Row>(Row row) {
    const TableDescriptor* table = find_table(Row::table);
    ASSERT_NE(table, nullptr);
    std::size_t column = 1;
    for_each_field(row, [&](std::string_view name, const auto&) {
      ASSERT_LT(column, table->columns.size());
      EXPECT_EQ(name, table->columns[column++].name);
    });
    EXPECT_EQ(column, table->columns.size());
    tables.insert(Row::table);
  };
#define CRV_CHECK(row) check(row{});
  CRV_TABLE_ROWS(CRV_CHECK)
#undef CRV_CHECK
  EXPECT_EQ(tables.size(), list_tables().size());
}

TEST(Rows, WithoutRulesTakeAnyNumber) {
  HoldingsRow holdings{.tick = -1, .agent_id = "", .token_id = "", .quantity = -5};
  EXPECT_NO_THROW(validate(holdings));
  HoldingsValuationRow valuation{
      .tick = 1, .agent_id = "a", .token_id = "t", .quantity = -1, .mark_price = -2.0};
  EXPECT_NO_THROW(validate(valuation));
  EXPECT_TRUE(find_table_rules("holdings")->fields.empty());
  EXPECT_TRUE(find_table_rules("holdings_valuation")->fields.empty());
}

TEST(MessageRow, VisibilityIsFoldedAndChecked) {
  MessageRow row{.tick = 1, .sender_agent_id = "a", .channel_name = "c", .visibility_scope = "PUBLIC"};
  validate(row);
  EXPECT_EQ(row.visibility_scope, "public");
  EXPECT_EQ(row.claims, Json(JsonObject()));
  ErrorFacts facts;
  row.visibility_scope = "Everyone";
  EXPECT_THAT(broken_word(row, &facts),
              AllOf(HasSubstr("MessageRow.visibility_scope must be one of public, group, room, dm"),
                    HasSubstr("`Everyone`")));
  EXPECT_EQ(facts.table, "messages");
  EXPECT_EQ(facts.column, "visibility_scope");
  EXPECT_EQ(facts.value, "Everyone");
  for (const char* scope : {"", "none", " dm", "dm\n"}) {
    row.visibility_scope = scope;
    EXPECT_NE(broken_word(row), "accepted") << scope;
  }
}

ExchangeRow trade() {
  return {.tick = 1, .venue_id = "v", .token_id = "t", .exchange_event_type = "trade"};
}

TEST(ExchangeRow, EventTypeIsAMemberOfExchangeKind) {
  ExchangeRow row = trade();
  for (const auto& member : EnumTable<ExchangeKind>::members) {
    row.exchange_event_type = std::string(member.value);
    EXPECT_NO_THROW(validate(row)) << member.value;
  }
  for (const char* type : {"", "Trade", "flash_loan_2", "flash-loan", "trade\n", "_trade", "a__b"}) {
    row.exchange_event_type = type;
    EXPECT_THAT(broken_word(row),
                HasSubstr("ExchangeRow.exchange_event_type must be one of trade, order_post"))
        << type;
  }
}

TEST(ExchangeRow, SideIsBuyOrSellInAnyCaseOrNull) {
  ExchangeRow row = trade();
  row.side = "BUY";
  validate(row);
  EXPECT_EQ(row.side, "buy");
  row.side = std::nullopt;
  EXPECT_NO_THROW(validate(row));
  for (const char* side : {"", "hold", "buy "}) {
    row.side = side;
    EXPECT_THAT(broken_word(row), HasSubstr("ExchangeRow.side must be one of buy, sell")) << side;
  }
}

TEST(ExchangeRow, NumbersHaveNoRange) {
  ExchangeRow row = trade();
  row.quantity = -1;
  row.price = std::nan("");
  row.baseline_value = -HUGE_VAL;
  EXPECT_NO_THROW(validate(row));
}

IdentityEdgeRow edge(std::string kind) {
  return {.tick = 1, .observer_agent_id = "a", .edge_kind = std::move(kind), .edge_weight = 0.5};
}

TEST(IdentityEdgeRow, EdgeKindIsExact) {
  EXPECT_EQ(broken_word(edge("self_to_positive_valence")), "accepted");
  for (const char* kind : {"", "SELF_TO_AGENT", "is_neighbor", "self_to_agent "}) {
    EXPECT_THAT(broken_word(edge(kind)),
                HasSubstr("IdentityEdgeRow.edge_kind must be one of self_to_positive_valence"));
  }
}

// What each kind needs, written down apart from the catalogue.
const std::map<std::string, std::string> needed_ids = {
    {"self_to_positive_valence", ""},
    {"self_to_negative_valence", ""},
    {"self_to_object", "subject_id, token_id"},
    {"self_to_agent", "object_id, subject_id"},
    {"agent_to_positive_valence", "subject_id"},
    {"agent_to_negative_valence", "subject_id"},
    {"agent_to_object", "subject_id, token_id"},
    {"agent_to_agent", "object_id, subject_id"},
    {"agent_pair_to_object", "related_agent_id, subject_id, token_id"},
    {"object_to_positive_valence", "token_id"},
    {"object_to_negative_valence", "token_id"},
    {"object_to_object", "object_id, subject_id"},
};

TEST(IdentityEdgeRow, EachKindNeedsItsIds) {
  using Id = std::optional<std::string> IdentityEdgeRow::*;
  const std::map<std::string, Id> ids = {{"subject_id", &IdentityEdgeRow::subject_id},
                                         {"object_id", &IdentityEdgeRow::object_id},
                                         {"related_agent_id", &IdentityEdgeRow::related_agent_id},
                                         {"token_id", &IdentityEdgeRow::token_id}};
  ASSERT_EQ(needed_ids.size(), EnumTable<RepresentationEdgeKind>::members.size());
  for (const auto& [kind, needed] : needed_ids) {
    IdentityEdgeRow full = edge(kind);
    for (const auto& [name, id] : ids) full.*id = "x";
    EXPECT_EQ(broken_rule(full), "accepted") << "extra ids are allowed: " << kind;
    for (const auto& [name, id] : ids) {
      for (const std::optional<std::string>& empty :
           {std::optional<std::string>(), std::optional<std::string>("")}) {
        IdentityEdgeRow row = full;
        row.*id = empty;
        ErrorFacts facts;
        const std::string message = broken_rule(row, &facts);
        if (needed.find(name) == std::string::npos) {
          EXPECT_EQ(message, "accepted") << kind << " without " << name;
          continue;
        }
        EXPECT_THAT(message, HasSubstr(kind + " requires fields " + needed + "; not given: " + name));
        EXPECT_EQ(facts.table, "identity_edges");
        EXPECT_EQ(facts.column, name);
        EXPECT_EQ(facts.value, kind);
      }
    }
  }
}

TEST(ScenarioRow, VisibilityIsFoldedAndMayBeNull) {
  ScenarioRow row{.tick = 1, .observer_agent_id = "a", .visibility_scope = "Room", .context_hash = "h"};
  validate(row);
  EXPECT_EQ(row.visibility_scope, "room");
  row.visibility_scope.reset();
  EXPECT_NO_THROW(validate(row));
  row.visibility_scope = "none";
  EXPECT_THAT(broken_word(row), HasSubstr("ScenarioRow.visibility_scope must be one of"));
}

TEST(ScenarioContext, VisibilityIsFoldedAndMayBeNull) {
  ScenarioContext context{.visibility_scope = "DM"};
  validate(context);
  EXPECT_EQ(context.visibility_scope, "dm");
  context.visibility_scope = "";
  EXPECT_THAT(broken_word(context), HasSubstr("ScenarioContext.visibility_scope must be one of"));
  EXPECT_EQ(broken_word(ScenarioContext{}), "accepted");
}

TEST(DecisionRow, ValueEstimatesBecomeFloats) {
  DecisionRow row{.tick = 1, .agent_id = "a"};
  row.token_value_estimates = {{"t", 2}, {"u", "1.5"}, {"v", true}, {"w", " -Inf "}, {"x", 0.5}};
  validate(row);
  EXPECT_EQ(row.token_value_estimates,
            (JsonObject{{"t", 2.0}, {"u", 1.5}, {"v", 1.0}, {"w", -HUGE_VAL}, {"x", 0.5}}));
}

TEST(DecisionRow, ValueEstimatesMustBeNumbers) {
  for (const Json& bad : {Json("x"), Json(""), Json("1.5x"), Json(nullptr), Json(JsonArray{1})}) {
    DecisionRow row{.tick = 1, .agent_id = "a", .token_value_estimates = {{"t", 1.0}, {"u", bad}}};
    ErrorFacts facts;
    EXPECT_THAT(broken_rule(row, &facts), HasSubstr("DecisionRow.token_value_estimates.u must be a number"));
    EXPECT_EQ(facts.column, "token_value_estimates.u");
    DecisionHead head{.token_value_estimates = {{"u", bad}}};
    EXPECT_THAT(broken_rule(head), HasSubstr("DecisionHead.token_value_estimates.u must be a number"));
  }
}

TEST(OracleCallRow, HasNoRules) {
  OracleCallRow row{.tick = 1, .latency_ms = -1, .n_tool_calls = -1};
  EXPECT_NO_THROW(validate(row));
}

EventEnvelopeRow envelope() {
  return {.time_created = 1, .scheduled_step = 2, .envelope_kind = "action", .status = "pending"};
}

TEST(EventEnvelopeRow, KindStatusAndVisibilityAreFoldedAndChecked) {
  EventEnvelopeRow row = envelope();
  row.envelope_kind = "OBSERVATION";
  row.status = "Executed";
  row.visibility_scope = "GROUP";
  validate(row);
  EXPECT_EQ(row.envelope_kind, "observation");
  EXPECT_EQ(row.status, "executed");
  EXPECT_EQ(row.visibility_scope, "group");

  row = envelope();
  row.envelope_kind = "event";
  ErrorFacts facts;
  EXPECT_THAT(broken_word(row, &facts),
              HasSubstr("EventEnvelopeRow.envelope_kind must be one of action, observation"));
  EXPECT_EQ(facts.table, "");
  row = envelope();
  row.status = "done";
  EXPECT_THAT(broken_word(row),
              HasSubstr("EventEnvelopeRow.status must be one of pending, executed, rejected"));
  row = envelope();
  row.visibility_scope = "all";
  EXPECT_THAT(broken_word(row), HasSubstr("EventEnvelopeRow.visibility_scope must be one of"));
}

TEST(ActionCandidate, ActionTypeIsExact) {
  EXPECT_EQ(broken_word(ActionCandidate{.action_type = "gift_token", .score = std::nan(""), .key = "k"}),
            "accepted");
  for (const char* type : {"", "GIFT_TOKEN", "trade"}) {
    EXPECT_THAT(broken_word(ActionCandidate{.action_type = type}),
                HasSubstr("ActionCandidate.action_type must be one of acquire_token"));
  }
}

TEST(DecisionHead, ChecksItsCandidates) {
  DecisionHead head;
  head.action_candidates = {{.action_type = "gift_token", .key = "k"}, {.action_type = "steal", .key = "k"}};
  ErrorFacts facts;
  EXPECT_THAT(broken_word(head, &facts),
              HasSubstr("DecisionHead.action_candidates[1].action_type must be one of"));
  EXPECT_EQ(facts.column, "action_candidates[1].action_type");
}

TEST(GraphEdit, OperationAndEdgeKindAreExact) {
  const GraphEdit good{
      .operation = "decay_identity_edges", .edge_kind = "self_to_agent", .decay_lambda = 1.0};
  EXPECT_EQ(broken_word(good), "accepted");
  GraphEdit edit = good;
  for (const char* operation : {"", "Decay_Identity_Edges", "decay"}) {
    edit.operation = operation;
    EXPECT_THAT(broken_word(edit), HasSubstr("GraphEdit.operation must be one of set_identity_edge_weight"));
  }
  edit = good;
  edit.edge_kind = "follows";
  EXPECT_THAT(broken_word(edit), HasSubstr("GraphEdit.edge_kind must be one of"));
}

TEST(GraphEdit, DecayIsBetweenZeroAndOneOrNull) {
  GraphEdit edit{.operation = "decay_identity_edges", .edge_kind = "self_to_agent"};
  EXPECT_EQ(broken_rule(edit), "accepted");
  for (const double lambda : {-0.1, 1.1, std::nan(""), HUGE_VAL}) {
    edit.decay_lambda = lambda;
    EXPECT_THAT(broken_rule(edit), HasSubstr("GraphEdit.decay_lambda must be at least 0 and at most 1"));
  }
}

TEST(GraphEdit, OperationIsNotTiedToTheOtherFields) {
  EXPECT_EQ(broken_rule(GraphEdit{.operation = "set_identity_edge_weight", .edge_kind = "self_to_object"}),
            "accepted");
}

TEST(RepresentationPatch, ChecksItsEdits) {
  RepresentationPatch patch;
  patch.edits = {{.operation = "remove_identity_edge", .edge_kind = "self_to_agent"},
                 {.operation = "remove", .edge_kind = "self_to_agent"}};
  EXPECT_THAT(broken_word(patch), HasSubstr("RepresentationPatch.edits[1].operation must be one of"));
  patch.edits.pop_back();
  EXPECT_EQ(broken_word(patch), "accepted");
}

template <class Model>
void expect_unit_range(Model good, double Model::*member, const std::string& name) {
  for (const double value : {0.0, 0.5, 1.0}) {
    good.*member = value;
    EXPECT_EQ(broken_rule(good), "accepted") << name;
  }
  for (const double value : {-0.001, 1.001, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    Model bad = good;
    bad.*member = value;
    ErrorFacts facts;
    EXPECT_THAT(broken_rule(bad, &facts), HasSubstr("." + name + " must be at least 0 and at most 1"));
    EXPECT_EQ(facts.column, name);
    EXPECT_EQ(facts.value, format_double(value));
  }
}

TEST(Ranges, AreHeldByEveryBoundedField) {
  expect_unit_range(Interpretation{}, &Interpretation::salience, "salience");
  expect_unit_range(AppraisalVector{}, &AppraisalVector::valence, "valence");
  expect_unit_range(AppraisalVector{}, &AppraisalVector::arousal, "arousal");
  expect_unit_range(AppraisalVector{}, &AppraisalVector::certainty, "certainty");
  expect_unit_range(AppraisalVector{}, &AppraisalVector::novelty, "novelty");
  expect_unit_range(AppraisalVector{}, &AppraisalVector::goal_congruence, "goal_congruence");
  expect_unit_range(AffectState{}, &AffectState::valence, "valence");
  expect_unit_range(AffectState{}, &AffectState::arousal, "arousal");
  expect_unit_range(AffectState{}, &AffectState::stress, "stress");
}

TEST(Defaults, AreThoseOfTheContract) {
  EXPECT_EQ(AffectState{}, (AffectState{.valence = 0.5, .arousal = 0.5, .stress = 0.0}));
  EXPECT_FALSE(DecisionHead{}.abstain);
  EXPECT_EQ(DecisionHead{}.temperature, 0.0);
  EXPECT_EQ(ExchangeRow{}.side, std::nullopt);
}

TEST(Rules, AreFoundByModelAndByTable) {
  EXPECT_EQ(find_table_rules("exchange"), find_model_rules("ExchangeRow"));
  EXPECT_NE(find_table_rules("exchange")->find("side"), nullptr);
  EXPECT_EQ(find_table_rules("exchange")->find("price"), nullptr);
  EXPECT_EQ(find_table_rules(""), nullptr);
  EXPECT_EQ(find_table_rules("nonsense"), nullptr);
  EXPECT_EQ(find_model_rules("nonsense"), nullptr);
}

TEST(Rules, ATextCanBeBroughtIntoTheFormOfItsField) {
  const ModelRules& rules = *find_model_rules("ExchangeRow");
  EXPECT_EQ(normalize_text(rules, "side", "BUY"), "buy");
  EXPECT_EQ(normalize_text(rules, "venue_id", "Any Text"), "Any Text");
  EXPECT_THROW(normalize_text(rules, "side", "hold"), GrammarError);
  EXPECT_THROW(normalize_text(rules, "exchange_event_type", "Trade"), GrammarError);
}

TEST(Rules, TextsCanBeCheckedForWhatAFieldNeeds) {
  const ModelRules& rules = *find_model_rules("IdentityEdgeRow");
  EXPECT_NO_THROW(check_needs(rules, {{"edge_kind", "agent_to_positive_valence"}, {"subject_id", "a"}}));
  EXPECT_THROW(check_needs(rules, {{"edge_kind", "agent_to_positive_valence"}, {"subject_id", ""}}),
               SchemaError);
  EXPECT_THROW(check_needs(rules, {{"edge_kind", "agent_to_positive_valence"}}), SchemaError);
  EXPECT_NO_THROW(check_needs(rules, {}));
}

TEST(Rules, OfColumnsFollowFromTheirTypesAndFromTheCatalog) {
  for (const TableDescriptor& table : list_tables()) {
    EXPECT_EQ(table.find("tick")->rule.min, 0.0) << table.name;
    EXPECT_EQ(table.find("bucket")->rule, ColumnRule()) << table.name;
    for (const ColumnDescriptor& column : table.columns) {
      EXPECT_EQ(column.rule.finite, column.type.kind == Type::Kind::f64) << column.name;
      EXPECT_EQ(column.rule.not_empty, column.type.kind == Type::Kind::str && column.required) << column.name;
    }
  }
  EXPECT_EQ(find_table_rules("exchange")->find("exchange_event_type")->allowed.size(),
            EnumTable<ExchangeKind>::members.size());
  EXPECT_EQ(find_table("oracle_calls")->find("cache_hit")->rule.max, 1.0);
  EXPECT_EQ(find_table("decisions")->find("action_candidates")->rule.elements, "ActionCandidate");
  for (const ColumnDescriptor& column : find_stored_table("quarantine")->columns)
    EXPECT_EQ(column.rule, ColumnRule()) << column.name;
}

}  // namespace
}  // namespace crv::core
