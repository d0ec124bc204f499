#include "io/rules/row_rules.h"

#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/descriptor.h"
#include "crv/core/grammar.h"
#include "crv/core/rows.h"
#include "crv/core/rules.h"
#include "crv/io/frame.h"
#include "crv/io/json_rows.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"
#include "io/support/sim_os.h"

namespace crv::io {
namespace {

using arrow::field;
using testing::ElementsAre;
using testing::HasSubstr;

const core::TableDescriptor& table_named(const std::string& name) {
  return *core::find_table(name);
}

ConformOptions checked() {
  ConformOptions options;
  options.validate_rows = true;
  return options;
}

Error refused(const std::string& table, const arrow::Table& frame) {
  return refusal([&] { conform(frame, table_named(table), {}, checked()); });
}

// A row of each table that breaks no rule.
JsonObject good_row(const std::string& table) {
  static const std::map<std::string, std::string> rows = {
      {"exchange", R"({"tick":1,"venue_id":"v","token_id":"t","exchange_event_type":"trade","side":"buy",
                       "quantity":1.5,"price":2.5,"actor_agent_id":"a","baseline_value":0.5,
                       "additional_payload":{"k":1}})"},
      {"identity_edges", R"({"tick":1,"observer_agent_id":"a","edge_kind":"self_to_agent","subject_id":"a",
                             "object_id":"b","related_agent_id":"c","token_id":"t","edge_weight":0.5,
                             "edge_sign":-1})"},
      {"scenarios_seen", R"({"tick":1,"observer_agent_id":"a","visibility_scope":"dm",
                             "salient_agent_pairs":[{"a":"x"}],"exchange_snapshot":{"k":1},
                             "recent_affect_index":7.5,"context_hash":"h"})"},
      {"messages", R"({"tick":1,"sender_agent_id":"a","channel_name":"c","visibility_scope":"public",
                       "audience":{"k":1},"speech_act":"ask","topic_label":"t","claims":{"k":1},
                       "style":{"k":1}})"},
      {"decisions", R"({"tick":1,"agent_id":"a","chosen_action":{"k":1},
                        "action_candidates":[{"action_type":"gift_token","parameters":{"to":"b"},"score":1.5,
                                              "key":"gift_token"}],
                        "token_value_estimates":{"grain":1.5,"n":2,"s":"3.5","b":true}})"},
      {"oracle_calls", R"({"tick":1,"agent_id":"a","engine":"e","signature_id":"s","persona_id":"p",
                           "persona_hash":"h","representation_hash":"r","context_hash":"c",
                           "value_json":"{}","latency_ms":0,"cache_hit":1,"n_tool_calls":0,
                           "tool_seq":{"k":1}})"},
      {"holdings", R"({"tick":1,"agent_id":"a","token_id":"t","quantity":-3})"},
      {"holdings_valuation", R"({"tick":1,"agent_id":"a","token_id":"t","quantity":3,"avg_unit_cost":1.5,
                                 "cost_value":1.5,"mark_price":1.5,"mark_value":1.5,"realized_pnl":-1.5,
                                 "unrealized_pnl":1.5})"}};
  return *parse_json(rows.at(table)).get_if<JsonObject>();
}

TEST(RowRules, AGoodRowOfEachTableIsTakenAsItIs) {
  for (const core::TableDescriptor& table : core::list_tables()) {
    SCOPED_TRACE(table.name);
    const JsonObject row = good_row(table.name);
    const Conformed taken = conform(*frame_from_json(std::vector{row, row}).table(), table, {}, checked());
    const Conformed unchecked = conform(*frame_from_json(std::vector{row, row}).table(), table, {}, {});
    EXPECT_TRUE(taken.table->Equals(*unchecked.table, true));
    EXPECT_EQ(taken.buckets.size(), 1U);
    EXPECT_EQ(taken.rejected, nullptr);
  }
}

// ---- each rule ----

struct Bad {
  std::string table, column, json;  // the value that goes into that column of a good row
  std::string rule;
  std::string path;   // where that is not the column
  std::string value;  // as the error tells it, where that is not the text of the JSON
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.table << '.' << bad.column << " = " << bad.json << ": " << bad.rule;
}

class EachRule : public testing::TestWithParam<Bad> {};

TEST_P(EachRule, IsToldWithItsFirstRow) {
  const Bad& bad = GetParam();
  const JsonObject good = good_row(bad.table);
  JsonObject row = good;
  row[bad.column] = parse_json(bad.json);
  const Frame frame = frame_from_json(std::vector{good, row, good, row});
  EXPECT_NO_THROW(
      conform(*frame_from_json(std::vector{good}).table(), table_named(bad.table), {}, checked()));
  const Error error = refused(bad.table, *frame.table());
  ASSERT_EQ(error.facts().violations.size(), 1U) << error.what();
  const Violation& violation = error.facts().violations.front();
  EXPECT_EQ(violation.rule, bad.rule);
  EXPECT_EQ(violation.column, bad.path.empty() ? bad.column : bad.path);
  EXPECT_EQ(violation.count, 2);
  ASSERT_EQ(violation.first.size(), 2U);
  EXPECT_EQ(violation.first[0].row, 1);
  EXPECT_EQ(violation.first[1].row, 3);
  const Json value = parse_json(bad.json);
  const auto* text = value.get_if<std::string>();
  EXPECT_EQ(violation.first[0].value, !bad.value.empty() ? bad.value
                                      : text != nullptr  ? *text
                                                         : write_json(value));
  EXPECT_EQ(error.facts().table, bad.table);
  EXPECT_EQ(error.facts().column, violation.column);
  EXPECT_EQ(error.facts().row, 1);
  EXPECT_EQ(error.facts().value, violation.first[0].value);
  EXPECT_THAT(error.what(), HasSubstr(violation.reason));
}

std::vector<Bad> model_rules() {
  return {{"exchange", "side", R"("both")", "model.one_of", "", ""},
          {"exchange", "side", R"("")", "model.one_of", "", ""},
          {"exchange", "exchange_event_type", R"("barter")", "model.one_of", "", ""},
          {"exchange", "exchange_event_type", R"("TRADE")", "model.one_of", "", ""},
          {"exchange", "exchange_event_type", R"("")", "model.one_of", "", ""},
          {"identity_edges", "edge_kind", R"("self_to_nothing")", "model.one_of", "", ""},
          {"identity_edges", "edge_kind", R"("SELF_TO_AGENT")", "model.one_of", "", ""},
          {"identity_edges", "object_id", "null", "model.needs", "", "self_to_agent"},
          {"identity_edges", "subject_id", R"("")", "model.needs", "", "self_to_agent"},
          {"scenarios_seen", "visibility_scope", R"("nobody")", "model.one_of", "", ""},
          {"messages", "visibility_scope", R"("nobody")", "model.one_of", "", ""},
          {"decisions", "token_value_estimates", R"({"s":"much"})", "model.numbers",
           "token_value_estimates.s", "much"},
          {"decisions", "token_value_estimates", R"({"list":[1]})", "model.numbers",
           "token_value_estimates.list", "[1]"},
          {"scenarios_seen", "salient_agent_pairs", R"([{"a":"x"},null])", "model.struct",
           "salient_agent_pairs[]", ""}};
}

std::vector<Bad> column_rules() {
  std::vector<Bad> all = {
      {"oracle_calls", "latency_ms", "-1", "column.range", "", ""},
      {"oracle_calls", "cache_hit", "2", "column.range", "", ""},
      {"oracle_calls", "cache_hit", "-1", "column.range", "", ""},
      {"oracle_calls", "n_tool_calls", "-1", "column.range", "", ""},
      {"decisions", "action_candidates", R"([{"action_type":"gift_token","key":"k"}])", "column.elements",
       "action_candidates[].score",
       R"([{"action_type":"gift_token","parameters":null,"score":null,"key":"k"}])"},
      {"decisions", "action_candidates",
       R"([{"action_type":"fly","score":1,"key":"k"},{"action_type":"swim","score":1,"key":"k"}])",
       "column.one_of", "action_candidates[].action_type",
       R"([{"action_type":"fly","parameters":null,"score":1.0,"key":"k"},{"action_type":"swim",)"
       R"("parameters":null,"score":1.0,"key"...)"},
      {"decisions", "action_candidates", R"([{"action_type":"fly","score":1.5,"key":"k"}])", "column.one_of",
       "action_candidates[].action_type",
       R"([{"action_type":"fly","parameters":null,"score":1.5,"key":"k"}])"},
      {"decisions", "action_candidates", R"([{"action_type":"gift_token","score":NaN,"key":"k"}])",
       "column.finite", "action_candidates[].score",
       R"([{"action_type":"gift_token","parameters":null,"score":NaN,"key":"k"}])"}};
  // What every table's columns imply.
  for (const core::TableDescriptor& table : core::list_tables()) {
    all.push_back({table.name, "tick", "-1", "column.range", "", ""});
    for (const core::ColumnDescriptor& column : table.columns) {
      const core::ColumnRule& rule = column.rule;
      if (rule.finite) all.push_back({table.name, column.name, "NaN", "column.finite", "", ""});
      if (rule.finite) all.push_back({table.name, column.name, "-Infinity", "column.finite", "", ""});
      const bool has_words = !rule.allowed.empty() || column.name == "edge_kind" ||
                             column.name == "exchange_event_type" ||
                             column.name == "visibility_scope";  // those are no word first of all
      if (rule.not_empty && !has_words)
        all.push_back({table.name, column.name, R"("")", "column.not_empty", "", ""});
    }
    for (const core::ColumnDescriptor& column : table.columns) {
      if (column.required && column.name != "bucket")
        all.push_back({table.name, column.name, "null", "column.required", "", ""});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Model, EachRule, testing::ValuesIn(model_rules()));
INSTANTIATE_TEST_SUITE_P(Column, EachRule, testing::ValuesIn(column_rules()));

TEST(RowRules, ACandidateThatLacksAFieldEverywhereOrHasAnotherTypeIsTold) {
  JsonObject row = good_row("decisions");
  row["action_candidates"] = parse_json(R"([{"score":"high","key":"k"}])");
  const Error error = refused("decisions", *frame_from_json(std::vector{row}).table());
  std::vector<std::string> told;
  for (const Violation& violation : error.facts().violations) {
    EXPECT_EQ(violation.rule, "column.elements");
    told.push_back(violation.column + ' ' + violation.reason);
  }
  EXPECT_THAT(told, ElementsAre("action_candidates[].action_type must be given in each element",
                                "action_candidates[].score must be a number"));
}

TEST(RowRules, WhatStandsBelowANullOrOutsideOfTheSliceDoesNotCount) {
  const auto candidate = arrow::struct_(
      {field("action_type", arrow::utf8()), field("score", arrow::float64()), field("key", arrow::utf8())});
  for (const auto& type : {arrow::list(candidate), arrow::large_list(candidate)}) {
    const std::string good = R"({"action_type":"gift_token","score":1,"key":"k"})";
    const std::string bad = R"({"action_type":"fly","score":1,"key":"k"})";
    const auto lists = array_of(type, "[[" + bad + "],[" + good + "," + good + "],[],[" + good + "],[" +
                                          good + "," + bad + "],[" + bad + "]]");
    const auto frame =
        table_of({{"tick", array_of(arrow::int64(), "[0,1,2,3,4,5]")},
                  {"agent_id", array_of(arrow::utf8(), R"(["a","a","a","a","a","a"])")},
                  {"chosen_action", array_of(arrow::struct_({field("k", arrow::int64())}),
                                             R"([{"k":1},{"k":1},{"k":1},{"k":1},{"k":1},{"k":1}])")},
                  {"action_candidates", lists},
                  {"token_value_estimates", array_of(arrow::struct_({field("k", arrow::int64())}),
                                                     R"([{"k":1},null,{"k":1},{"k":1},{"k":1},{"k":1}])")}});
    const Error error = refused("decisions", *frame->Slice(1, 4));
    ASSERT_EQ(error.facts().violations.size(), 2U) << error.what();
    EXPECT_EQ(error.facts().violations[0].column, "action_candidates[].action_type");
    EXPECT_EQ(error.facts().violations[0].count, 1);
    EXPECT_EQ(error.facts().row, 3);
    EXPECT_EQ(error.facts().violations[1].rule, "column.required");
    EXPECT_NO_THROW(conform(*frame->Slice(2, 2), table_named("decisions"), {}, checked()));
    // The same as conform() has made it, cut later.
    const Conformed whole = conform(*frame->Slice(2, 4), table_named("decisions"), {}, {});
    const BrokenRules broken = check_rows(whole.table->Slice(2), table_named("decisions"), true).broken;
    ASSERT_EQ(broken.size(), 1U);
    EXPECT_THAT(broken[0].rows, ElementsAre(0, 1));
  }
}

// The array with its value 0 made null, and left where it was, as engines do.
std::shared_ptr<arrow::Array> with_first_null(const std::shared_ptr<arrow::Array>& array) {
  const auto data = array->data()->Copy();
  std::string flags = "[false";
  for (std::int64_t i = 1; i < array->length(); ++i) flags += ",true";
  data->buffers[0] = array_of(arrow::boolean(), flags + "]")->data()->buffers[1];
  data->null_count = 1;
  return arrow::MakeArray(data);
}

TEST(RowRules, AValueThatWasLeftBelowANullBreaksNoRule) {
  const auto payload = array_of(arrow::struct_({field("k", arrow::int64())}), R"([{"k":1},{"k":1}])");
  const auto ticks = array_of(arrow::int64(), "[1, 2]");
  const auto texts = [](const std::string& text) {
    return array_of(arrow::utf8(), "[\"" + text + "\",\"" + text + "\"]");
  };
  const auto exchange = table_of({{"tick", ticks},
                                  {"venue_id", texts("v")},
                                  {"token_id", texts("t")},
                                  {"exchange_event_type", texts("gift")},
                                  {"side", with_first_null(array_of(arrow::utf8(), R"(["both", "buy"])"))},
                                  {"price", with_first_null(array_of(arrow::float64(), "[NaN, 1.5]"))},
                                  {"additional_payload", payload}});
  EXPECT_NO_THROW(conform(*exchange, table_named("exchange"), {}, checked()));

  const auto edges = table_of({{"tick", ticks},
                               {"observer_agent_id", texts("o")},
                               {"edge_kind", texts("self_to_agent")},
                               {"subject_id", with_first_null(texts("a"))},
                               {"object_id", texts("b")},
                               {"edge_weight", array_of(arrow::float64(), "[1, 1]")}});
  EXPECT_EQ(refused("identity_edges", *edges).facts().row, 0);

  const auto candidate = arrow::struct_(
      {field("action_type", arrow::utf8()), field("score", arrow::float64()), field("key", arrow::utf8())});
  const auto elements = with_first_null(array_of(candidate, R"([{"action_type":"fly","score":1,"key":"k"},
                              {"action_type":"gift_token","score":1,"key":"k"}])"));
  const auto lists =
      arrow::ListArray::FromArrays(*array_of(arrow::int32(), "[0,1,2]"), *elements).ValueOrDie();
  const auto estimates =
      with_first_null(array_of(arrow::struct_({field("s", arrow::utf8())}), R"([{"s":"much"},{"s":"1"}])"));
  const auto decisions = table_of({{"tick", ticks},
                                   {"agent_id", texts("a")},
                                   {"chosen_action", payload},
                                   {"action_candidates", lists},
                                   {"token_value_estimates", estimates}});
  const Error error = refused("decisions", *decisions);
  std::vector<std::string> told;
  for (const Violation& violation : error.facts().violations)
    told.push_back(violation.rule + ' ' + violation.column);
  EXPECT_THAT(told, ElementsAre("model.struct action_candidates[]", "column.required token_value_estimates"));
}

// ---- texts of every kind, whole and in pieces ----

std::shared_ptr<arrow::Table> exchange_of(const std::shared_ptr<arrow::DataType>& text,
                                          const std::string& sides, const std::string& events,
                                          std::int64_t rows) {
  const auto same = [&](const std::string& json) {
    std::string all = "[" + json;
    for (std::int64_t i = 1; i < rows; ++i) all += "," + json;
    return all + "]";
  };
  return table_of(
      {{"tick", array_of(arrow::int64(), same("1"))},
       {"venue_id", array_of(text, same(R"("v")"))},
       {"token_id", array_of(text, same(R"("t")"))},
       {"exchange_event_type", array_of(text, events)},
       {"side", array_of(text, sides)},
       {"additional_payload", array_of(arrow::struct_({field("k", arrow::int64())}), same(R"({"k":1})"))}});
}

TEST(RowRules, EveryKindOfTextIsCheckedAndLoweredAlike) {
  for (const auto& text : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(),
                           arrow::dictionary(arrow::int32(), arrow::utf8())}) {
    SCOPED_TRACE(text->ToString());
    const auto frame = exchange_of(text, R"(["none", "BUY", null, "sell", "Sell", "x"])",
                                   R"(["x", "trade", "gift", "a_rather_long_event", "swap", "x"])", 6);
    const Error error = refused("exchange", *frame);
    ASSERT_EQ(error.facts().violations.size(), 2U) << error.what();
    EXPECT_EQ(error.facts().violations[0].rule, "model.one_of");
    EXPECT_EQ(error.facts().violations[0].count, 3);
    EXPECT_EQ(error.facts().violations[0].first[1].value, "a_rather_long_event");
    EXPECT_EQ(error.facts().violations[1].rule, "model.one_of");
    EXPECT_EQ(error.facts().violations[1].count, 2);
    EXPECT_EQ(error.facts().violations[1].first[1].row, 5);
    EXPECT_THAT(error.what(), HasSubstr("2 rules"));

    const auto good = arrow::ConcatenateTables({frame->Slice(1, 2), frame->Slice(4, 1)}).ValueOrDie();
    const Conformed lowered = conform(*good, table_named("exchange"), {}, checked());
    std::vector<std::string> sides;
    for (const JsonObject& row : rows_to_json(*lowered.buckets.at(0).rows))
      sides.push_back(write_json(*row.find("side")));
    EXPECT_THAT(sides, ElementsAre("\"buy\"", "null", "\"sell\""));
    EXPECT_TRUE(lowered.table->ValidateFull().ok());
  }
}

TEST(RowRules, AColumnInWhichNothingChangesIsShared) {
  const auto frame = exchange_of(arrow::utf8(), R"(["buy", "sell"])", R"(["trade", "trade"])", 2);
  const Conformed taken = conform(*frame, table_named("exchange"), {}, checked());
  EXPECT_EQ(taken.table->GetColumnByName("side")->chunk(0)->data()->buffers[2],
            frame->GetColumnByName("side")->chunk(0)->data()->buffers[2]);
}

// ---- one error for all ----

TEST(RowRules, OneErrorTellsOfEveryRuleWithItsCountAndFirstRows) {
  std::vector<JsonObject> rows(9, good_row("exchange"));
  for (std::size_t i = 1; i < 8; ++i) rows[i]["side"] = "side " + std::to_string(i);
  rows[4]["price"] = parse_json("NaN");
  rows[6]["venue_id"] = Json();
  rows[6]["tick"] = -5;
  const Error error = refused("exchange", *frame_from_json(rows).table());
  EXPECT_EQ(error.code(), ErrorCode::row_rule);
  std::vector<std::string> told;
  for (const Violation& violation : error.facts().violations) {
    told.push_back(violation.rule + " " + violation.column + " " + std::to_string(violation.count));
    EXPECT_FALSE(violation.reason.empty());
  }
  EXPECT_THAT(told, ElementsAre("column.range tick 1", "column.required venue_id 1", "model.one_of side 7",
                                "column.finite price 1"));
  const Violation& side = error.facts().violations[2];
  ASSERT_EQ(side.first.size(), 5U);
  EXPECT_EQ(side.first.back().row, 5);
  EXPECT_EQ(side.first.back().value, "side 5");
  EXPECT_THAT(error.what(), HasSubstr("side: must be one of buy, sell (model.one_of): 7 rows: row 1 holds "
                                      "side 1, row 2 holds side 2"));
}

// Where all is of one kind, the error keeps the code of that kind.
TEST(RowRules, NullsTicksAndValuesThatDoNotFitKeepTheirCode) {
  const auto frame = [](const std::string& column, const std::string& json) {
    std::vector<JsonObject> rows(3, good_row("holdings"));
    rows[1][column] = parse_json(json);
    return frame_from_json(rows);
  };
  const auto code = [&](const std::string& column, const std::string& json) {
    const Error error = refused("holdings", *frame(column, json).table());
    EXPECT_EQ(error.facts().row, 1);
    EXPECT_EQ(error.facts().violations.size(), 1U);
    return error.code();
  };
  EXPECT_EQ(code("tick", "null"), ErrorCode::bad_tick);
  EXPECT_EQ(code("tick", "-1"), ErrorCode::bad_tick);
  EXPECT_EQ(code("tick", "1.5"), ErrorCode::bad_tick);
  EXPECT_EQ(code("agent_id", "null"), ErrorCode::null_value);
  EXPECT_EQ(code("quantity", "1.5"), ErrorCode::lossy_cast);
  EXPECT_EQ(code("agent_id", R"("")"), ErrorCode::row_rule);
}

TEST(RowRules, RowsAreCountedOverManyBatchesOfAnyCut) {
  constexpr std::int64_t kRows = 300'000;
  arrow::Int64Builder ticks, quantities;
  arrow::StringBuilder agents, tokens;
  for (std::int64_t i = 0; i < kRows; ++i) {
    ASSERT_TRUE(ticks.Append(i).ok());
    ASSERT_TRUE(agents.Append(i % 100'000 == 99'999 ? "" : "a").ok());
    ASSERT_TRUE(tokens.Append("t").ok());
    ASSERT_TRUE(quantities.Append(i).ok());
  }
  const auto tick = ticks.Finish().ValueOrDie();
  const auto cut = std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{tick->Slice(0, 7), tick->Slice(7, 150'000), tick->Slice(150'007)});
  const auto whole = [](arrow::ArrayBuilder& builder) {
    return std::make_shared<arrow::ChunkedArray>(builder.Finish().ValueOrDie());
  };
  const auto frame =
      arrow::Table::Make(arrow::schema({field("tick", arrow::int64()), field("agent_id", arrow::utf8()),
                                        field("token_id", arrow::utf8()), field("quantity", arrow::int64())}),
                         {cut, whole(agents), whole(tokens), whole(quantities)});
  const Error error = refused("holdings", *frame);
  ASSERT_EQ(error.facts().violations.size(), 1U);
  const Violation& violation = error.facts().violations[0];
  EXPECT_EQ(violation.count, 3);
  ASSERT_EQ(violation.first.size(), 3U);
  EXPECT_EQ(violation.first[0].row, 99'999);
  EXPECT_EQ(violation.first[2].row, 299'999);
}

// ---- the batch and the structs agree ----

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  bool in(unsigned n) { return random_() % n == 0; }
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  const std::string& of(const std::vector<std::string>& words) {
    return words[static_cast<std::size_t>(below(static_cast<std::int64_t>(words.size())))];
  }
  std::optional<std::string> maybe(const std::vector<std::string>& words) {
    return in(3) ? std::nullopt : std::optional(of(words));
  }

 private:
  std::mt19937_64 random_;
};

const std::vector<std::string> kScopes{"public", "Group", "ROOM", "dm", "dmx", "", "d m", "public "};
const std::vector<std::string> kIds{"a", "b", "", "long identifier of somebody"};

std::vector<std::string> kinds() {
  std::vector<std::string> all{"", "self", "Self_To_Agent", "agent_to_agent "};
  for (const auto& member : core::EnumTable<core::RepresentationEdgeKind>::members)
    all.emplace_back(member.value);
  return all;
}

void fill(core::IdentityEdgeRow& row, Chance& chance) {
  static const std::vector<std::string> words = kinds();
  row.observer_agent_id = "o";
  row.edge_kind = chance.of(words);
  row.subject_id = chance.maybe(kIds);
  row.object_id = chance.maybe(kIds);
  row.related_agent_id = chance.maybe(kIds);
  row.token_id = chance.maybe(kIds);
}
void fill(core::ExchangeRow& row, Chance& chance) {
  static const std::vector<std::string> sides{"buy", "SELL", "Buy", "both", "", "sel"};
  static const std::vector<std::string> events{"trade", "gift", "peer_offer", "Trade", "a__b",
                                               "x1",    "",     "_a",         "new"};
  row.venue_id = "v";
  row.token_id = "t";
  row.exchange_event_type = chance.of(events);
  row.side = chance.maybe(sides);
}
void fill(core::MessageRow& row, Chance& chance) {
  row.sender_agent_id = row.channel_name = row.speech_act = row.topic_label = "s";
  row.audience = JsonObject{{"k", 1}};
  row.visibility_scope = chance.of(kScopes);
}
void fill(core::ScenarioRow& row, Chance& chance) {
  row.observer_agent_id = row.context_hash = "s";
  row.visibility_scope = chance.maybe(kScopes);
}
void fill(core::DecisionRow& row, Chance& chance) {
  static const std::vector<std::string> numbers{"1", " 2.5 ", "nan", "much", "", "1x", "1e3"};
  row.agent_id = "a";
  if (chance.in(2)) row.token_value_estimates["number"] = chance.below(9);
  if (chance.in(2)) row.token_value_estimates["real"] = static_cast<double>(chance.below(9)) / 2;
  if (chance.in(2)) row.token_value_estimates["text"] = chance.of(numbers);
  if (chance.in(2)) row.token_value_estimates["flag"] = chance.in(2);
  if (chance.in(6)) row.token_value_estimates["list"] = JsonArray{1};
}

template <class Row>
class Agreement : public testing::Test {};
using RuledRows = testing::Types<core::IdentityEdgeRow, core::ExchangeRow, core::MessageRow,
                                 core::ScenarioRow, core::DecisionRow>;
TYPED_TEST_SUITE(Agreement, RuledRows);

TYPED_TEST(Agreement, TheModelRulesRefuseTheSameRowsAndLowerTheSameTexts) {
  using Row = TypeParam;
  Chance chance(test_seed());
  const core::TableDescriptor& table = table_named(std::string(Row::table));
  for (int round = 0; round < 20; ++round) {
    std::vector<Row> rows, good;
    std::vector<std::int64_t> refused_rows;
    for (std::int64_t i = 0; i < 200; ++i) {
      Row row;
      fill(row, chance);
      rows.push_back(row);
      try {
        core::validate(row);
      } catch (const Error&) {
        refused_rows.push_back(i);
      }
    }
    const Conformed conformed = conform(*Frame(rows).table(), table, {}, {});
    std::set<std::int64_t> model_rows, all_rows;
    for (const BrokenRule& rule : check_rows(conformed.table, table, true).broken) {
      EXPECT_EQ(rule.count, static_cast<std::int64_t>(rule.rows.size()));
      all_rows.insert(rule.rows.begin(), rule.rows.end());
      if (rule.rule.starts_with("model.")) model_rows.insert(rule.rows.begin(), rule.rows.end());
    }
    EXPECT_EQ(std::vector(model_rows.begin(), model_rows.end()), refused_rows);

    std::vector<Row> validated;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (all_rows.contains(static_cast<std::int64_t>(i))) continue;
      good.push_back(rows[i]);
      validated.push_back(rows[i]);
      core::validate(validated.back());
      if constexpr (std::is_same_v<Row, core::DecisionRow>)
        validated.back().token_value_estimates = rows[i].token_value_estimates;  // a path keeps its own type
    }
    const Conformed taken = conform(*Frame(good).table(), table, {}, checked());
    const Conformed expected = conform(*Frame(validated).table(), table, {}, {});
    EXPECT_TRUE(taken.table->Equals(*expected.table));
  }
}

}  // namespace
}  // namespace crv::io
