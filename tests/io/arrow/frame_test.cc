#include "crv/io/frame.h"

#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/descriptor.h"
#include "crv/io/json_rows.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"

namespace crv::io {
namespace {

using arrow::field;
using testing::HasSubstr;

JsonObject object(const std::string& text) {
  return *parse_json(text).get_if<JsonObject>();
}

Frame frame_of(const std::vector<std::string>& texts) {
  std::vector<JsonObject> rows;
  for (const std::string& text : texts) rows.push_back(object(text));
  return frame_from_json(rows);
}

std::string schema_of(const Frame& frame) {
  return frame.table()->schema()->ToString();
}

// What comes back of the rows that went in.
std::vector<std::string> rows_of(const Frame& frame) {
  EXPECT_TRUE(frame.table()->ValidateFull().ok());
  std::vector<std::string> texts;
  for (const JsonObject& row : rows_to_json(*frame.table())) texts.push_back(write_json(row));
  return texts;
}

TEST(FrameFromJson, InfersTypesOverAllRows) {
  const Frame frame =
      frame_of({R"({"i":1,"f":1,"s":"a","b":true,"n":null})", R"({"f":2.5,"i":null,"late":[]})",
                R"({"late":[1,null,2.5],"o":{"x":1}})", R"({"o":{"y":{}}})"});
  EXPECT_EQ(schema_of(frame),
            "i: int64\nf: double\ns: string\nb: bool\nn: null\nlate: list<element: double>\n"
            "o: struct<x: int64, y: struct<>>");
  EXPECT_EQ(
      rows_of(frame),
      (std::vector<std::string>{
          R"({"i":1,"f":1.0,"s":"a","b":true,"n":null,"late":null,"o":null})",
          R"({"i":null,"f":2.5,"s":null,"b":null,"n":null,"late":[],"o":null})",
          R"({"i":null,"f":null,"s":null,"b":null,"n":null,"late":[1.0,null,2.5],"o":{"x":1,"y":null}})",
          R"({"i":null,"f":null,"s":null,"b":null,"n":null,"late":null,"o":{"x":null,"y":{}}})"}));
}

TEST(FrameFromJson, NullsBeforeAndBetweenNestedValues) {
  const std::vector<std::string> rows = {R"({"l":null})", R"({"l":[[{"a":1}],null,[]]})", R"({"l":null})",
                                         R"({"l":[[{"a":null},null,{"a":3}]]})"};
  EXPECT_EQ(rows_of(frame_of(rows)), rows);
}

TEST(FrameFromJson, NoRowsAndNoKeys) {
  EXPECT_EQ(frame_of({}).table()->num_rows(), 0);
  EXPECT_EQ(frame_of({}).table()->num_columns(), 0);
  const Frame bare = frame_of({"{}", "{}"});
  EXPECT_EQ(bare.table()->num_rows(), 2);
  EXPECT_EQ(bare.table()->num_columns(), 0);
}

TEST(FrameFromJson, ValuesThatDoNotMeetAreRefusedWithTheirRow) {
  struct Case {
    std::vector<std::string> rows;
    std::string column, value;
    std::int64_t row;
  };
  const std::vector<Case> cases = {
      {{R"({"a":1})", R"({})", R"({"a":"x"})"}, "a", "x", 2},
      {{R"({"a":"x"})", R"({"a":1.5})"}, "a", "1.5", 1},
      {{R"({"a":true})", R"({"a":1})"}, "a", "1", 1},
      {{R"({"a":[1]})", R"({"a":{"b":1}})"}, "a", R"({"b":1})", 1},
      {{R"({"a":{"b":[1]}})", R"({"a":{"b":["x"]}})"}, "a.b[]", "x", 1},
      {{R"({"a":[1,[2]]})"}, "a[]", "[2]", 0},
  };
  for (const Case& one : cases) {
    const Error error = refusal([&] { frame_of(one.rows); });
    EXPECT_EQ(error.code(), ErrorCode::type_conflict);
    EXPECT_EQ(error.facts().column, one.column);
    EXPECT_EQ(error.facts().row, one.row);
    EXPECT_EQ(error.facts().value, one.value);
  }
}

TEST(FrameFromJson, NoDigitOfAnIntegerIsLost) {
  const Frame whole = frame_of({R"({"a":9223372036854775807})", R"({"a":-9223372036854775808})"});
  EXPECT_EQ(rows_of(whole)[1], R"({"a":-9223372036854775808})");
  EXPECT_EQ(rows_of(frame_of({R"({"a":9007199254740992})", R"({"a":0.5})"}))[0],
            R"({"a":9007199254740992.0})");

  const auto refused = [](const std::vector<std::string>& rows, std::int64_t row, const std::string& value) {
    const Error error = refusal([&] { frame_of(rows); });
    EXPECT_EQ(error.code(), ErrorCode::lossy_cast);
    EXPECT_EQ(error.facts().column, "a");
    EXPECT_EQ(error.facts().row, row);
    EXPECT_EQ(error.facts().value, value);
  };
  refused({R"({"a":1})", R"({"a":9223372036854775808})"}, 1, "9223372036854775808");
  refused({R"({"a":1})", R"({"a":9007199254740993})", R"({"a":9007199254740995})", R"({"a":0.5})"}, 1,
          "9007199254740993");
  refused({R"({"a":0.5})", R"({"a":-9007199254740993})"}, 1, "-9007199254740993");
}

// NaN is how many tools tell that a text is missing.
TEST(FrameFromJson, WhereTheTableHasTextANaNIsNullAndABigIntegerText) {
  const auto typed = [](const std::string& table, const std::vector<std::string>& texts) {
    std::vector<JsonObject> rows;
    for (const std::string& text : texts) rows.push_back(object(text));
    return frame_from_json(rows, core::find_table(table));
  };
  EXPECT_EQ(
      rows_of(typed("exchange", {R"({"side":NaN,"price":NaN})", R"({"side":"buy"})", R"({"side":NaN})"})),
      (std::vector<std::string>{R"({"side":null,"price":NaN})", R"({"side":"buy","price":null})",
                                R"({"side":null,"price":null})"}));
  EXPECT_EQ(schema_of(typed("exchange", {R"({"side":NaN})"})), "side: null");
  EXPECT_EQ(rows_of(typed("holdings", {R"({"agent_id":18446744073709551616})"}))[0],
            R"({"agent_id":"18446744073709551616"})");
  EXPECT_EQ(
      rows_of(typed("decisions", {R"({"action_candidates":[{"key":NaN,"score":NaN},{"key":"k"}]})"}))[0],
      R"({"action_candidates":[{"key":null,"score":NaN},{"key":"k","score":null}]})");
  // Text and numbers of one column still do not meet.
  EXPECT_EQ(refusal([&] {
              typed("exchange", {R"({"side":"buy"})", R"({"side":1})"});
            }).code(),
            ErrorCode::type_conflict);
  EXPECT_EQ(
      refusal([&] {
        typed("exchange", {R"({"additional_payload":{"x":NaN}})", R"({"additional_payload":{"x":"a"}})"});
      }).code(),
      ErrorCode::type_conflict);
}

TEST(FrameFromJson, AKeyThatStandsTwiceIsRefused) {
  JsonObject twice;
  twice.push_back("a", 1);
  twice.push_back("b", 1);
  twice.push_back("a", 2);
  const std::vector<JsonObject> rows = {twice};
  const Error error = refusal([&] { frame_from_json(rows); });
  EXPECT_EQ(error.code(), ErrorCode::duplicate_column);
  EXPECT_EQ(error.facts().column, "a");
}

TEST(Frame, TakesEveryArrowForm) {
  const auto batch = arrow::RecordBatch::Make(arrow::schema({field("a", arrow::int8())}), 2,
                                              {array_of(arrow::int8(), "[1, 2]")});
  EXPECT_EQ(Frame(batch).table()->num_rows(), 2);
  const auto table = arrow::Table::FromRecordBatches({batch, batch}).ValueOrDie();
  EXPECT_EQ(Frame(table).table(), table);
  const std::shared_ptr<arrow::RecordBatchReader> reader =
      arrow::RecordBatchReader::Make({batch, batch, batch}).ValueOrDie();
  EXPECT_EQ(Frame(reader).table()->num_rows(), 6);

  ArrowArrayStream stream;
  ASSERT_TRUE(
      arrow::ExportRecordBatchReader(arrow::RecordBatchReader::Make({batch}).ValueOrDie(), &stream).ok());
  const Frame imported(&stream);
  EXPECT_EQ(rows_of(imported), (std::vector<std::string>{R"({"a":1})", R"({"a":2})"}));
  EXPECT_EQ(stream.release, nullptr);
}

class FailingReader : public arrow::RecordBatchReader {
 public:
  std::shared_ptr<arrow::Schema> schema() const override { return arrow::schema({}); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>*) override {
    return arrow::Status::IOError("gone");
  }
};

TEST(Frame, AReaderThatFailsIsAReadError) {
  const std::shared_ptr<arrow::RecordBatchReader> reader = std::make_shared<FailingReader>();
  try {
    const Frame frame(reader);
    FAIL() << "was accepted";
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.code(), ErrorCode::read_failed);
    EXPECT_THAT(error.what(), HasSubstr("gone"));
  }
  EXPECT_THROW(Frame(std::shared_ptr<arrow::Table>()), IoArgumentError);
}

// Every row struct fits its table: conform() takes it as it is, with all columns of the descriptor.
template <class Row>
class TypedRows : public testing::Test {};
using AllRows =
    testing::Types<core::MessageRow, core::ExchangeRow, core::IdentityEdgeRow, core::ScenarioRow,
                   core::DecisionRow, core::OracleCallRow, core::HoldingsRow, core::HoldingsValuationRow>;
TYPED_TEST_SUITE(TypedRows, AllRows);

TYPED_TEST(TypedRows, FitTheirTable) {
  std::vector<TypeParam> rows(3);
  rows[1].tick = 250;
  if constexpr (requires { rows[0].audience; }) {
    for (auto& row : rows) row.audience = JsonObject{{"to", "all"}};
  }
  const core::TableDescriptor& table = *core::find_table(TypeParam::table);
  const Conformed result = conform(*Frame(rows).table(), table, {}, {});
  EXPECT_EQ(result.columns.size(), table.columns.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    EXPECT_EQ(result.columns[i].name, table.columns[i].name);
  ASSERT_EQ(result.buckets.size(), 2U);
  EXPECT_EQ(result.buckets[0].rows->num_rows(), 2);
  EXPECT_EQ(result.buckets[1].id, 2);
}

TEST(Frame, TypedRowsKeepEveryValue) {
  core::ExchangeRow trade;
  trade.tick = 7;
  trade.venue_id = "v";
  trade.token_id = "t";
  trade.exchange_event_type = "trade";
  trade.side = "buy";
  trade.price = 1.25;
  trade.additional_payload = object(R"({"legs":[{"n":1}],"note":"ä"})");
  core::ExchangeRow gift = trade;
  gift.side.reset();
  gift.price.reset();
  gift.quantity = 3;
  gift.additional_payload = object(R"({"note":null})");
  const std::vector<core::ExchangeRow> rows = {trade, gift};
  EXPECT_EQ(
      rows_of(Frame(rows)),
      (std::vector<std::string>{
          R"({"tick":7,"venue_id":"v","token_id":"t","exchange_event_type":"trade","side":"buy","quantity":null,)"
          R"("price":1.25,"actor_agent_id":null,"counterparty_agent_id":null,"baseline_value":null,)"
          R"("additional_payload":{"legs":[{"n":1}],"note":"ä"}})",
          R"({"tick":7,"venue_id":"v","token_id":"t","exchange_event_type":"trade","side":null,"quantity":3.0,)"
          R"("price":null,"actor_agent_id":null,"counterparty_agent_id":null,"baseline_value":null,)"
          R"("additional_payload":{"legs":null,"note":null}})"}));

  core::OracleCallRow call;
  call.cache_hit = true;
  const std::vector<core::OracleCallRow> calls = {call};
  EXPECT_EQ(*rows_to_json(*Frame(calls).table())[0].find("cache_hit"), Json(1));

  core::DecisionRow decision;
  decision.action_candidates = {object(R"({"key":"a","score":1})"), object(R"({"key":"b","score":0.5})")};
  const std::vector<core::DecisionRow> decisions = {decision, core::DecisionRow()};
  const auto read = rows_to_json(*Frame(decisions).table());
  EXPECT_EQ(write_json(*read[0].find("action_candidates")),
            R"([{"key":"a","score":1.0},{"key":"b","score":0.5}])");
  EXPECT_EQ(write_json(*read[1].find("action_candidates")), "[]");
}

TEST(Frame, TypedRowsNameTheRowOfABadValue) {
  core::DecisionRow good, bad;
  good.chosen_action = object(R"({"size":1})");
  bad.chosen_action = object(R"({"size":"large"})");
  const std::vector<core::DecisionRow> rows = {good, bad};
  const Error error = refusal([&] { Frame{rows}; });
  EXPECT_EQ(error.code(), ErrorCode::type_conflict);
  EXPECT_EQ(error.facts().column, "chosen_action.size");
  EXPECT_EQ(error.facts().row, 1);
}

TEST(Frame, TextMustBeUtf8) {
  std::vector<core::HoldingsRow> rows(2);
  rows[1].agent_id = "\xff";
  const Error typed = refusal([&] { Frame{rows}; });
  EXPECT_EQ(typed.code(), ErrorCode::wrong_type);
  EXPECT_EQ(typed.facts().table, "holdings");
  EXPECT_EQ(typed.facts().column, "agent_id");
  EXPECT_EQ(typed.facts().row, 1);

  const std::vector<JsonObject> objects = {JsonObject{{"a", "\xff"}}};
  EXPECT_EQ(refusal([&] { frame_from_json(objects); }).code(), ErrorCode::wrong_type);
}

}  // namespace
}  // namespace crv::io
