#include "io/conform/conform.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/io/json_rows.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"

namespace crv::io {
namespace {

using arrow::field;
using testing::HasSubstr;

// A table with one column of each kind besides bucket and tick, all but the ticks nullable.
const core::TableDescriptor& kinds() {
  static const core::TableDescriptor table = [] {
    core::TableDescriptor made;
    made.name = "kinds";
    made.columns = {{"bucket", core::plain_type(core::Type::Kind::i64), true, ""},
                    {"tick", core::plain_type(core::Type::Kind::i64), true, ""},
                    {"i", core::plain_type(core::Type::Kind::i64), false, ""},
                    {"f", core::plain_type(core::Type::Kind::f64), false, ""},
                    {"s", core::plain_type(core::Type::Kind::str), false, ""},
                    {"st", core::open_struct(), false, ""},
                    {"ls", core::list_of(core::open_struct()), false, ""}};
    return made;
  }();
  return table;
}

// `values` as column `name` beside ticks 0, 1, 2, ... of bucket 0.
std::shared_ptr<arrow::Table> with_ticks(const std::string& name,
                                         const std::shared_ptr<arrow::Array>& values) {
  arrow::Int64Builder ticks;
  for (std::int64_t i = 0; i < values->length(); ++i) EXPECT_TRUE(ticks.Append(i).ok());
  return table_of({{"tick", ticks.Finish().ValueOrDie()}, {name, values}});
}

Conformed conform_column(const std::string& name, const std::shared_ptr<arrow::Array>& values,
                         const Columns& held = {}) {
  return conform(*with_ticks(name, values), kinds(), held, {});
}

std::shared_ptr<arrow::Array> cast_column(const std::string& name,
                                          const std::shared_ptr<arrow::Array>& values) {
  const auto column = conform_column(name, values).table->GetColumnByName(name);
  EXPECT_EQ(column->num_chunks(), 1);
  return column->chunk(0);
}

struct Cast {
  std::string column;
  std::shared_ptr<arrow::DataType> from;
  std::string json;
  std::shared_ptr<arrow::DataType> to;
  std::string expected;
};

TEST(Conform, AcceptsTheCastsThatLoseNothing) {
  const std::vector<Cast> casts = {
      {"i", arrow::int8(), "[-128, 127, null]", arrow::int64(), "[-128, 127, null]"},
      {"i", arrow::int16(), "[-32768]", arrow::int64(), "[-32768]"},
      {"i", arrow::int32(), "[-2147483648]", arrow::int64(), "[-2147483648]"},
      {"i", arrow::int64(), "[-9223372036854775808, 9223372036854775807]", arrow::int64(),
       "[-9223372036854775808, 9223372036854775807]"},
      {"i", arrow::uint8(), "[255]", arrow::int64(), "[255]"},
      {"i", arrow::uint16(), "[65535]", arrow::int64(), "[65535]"},
      {"i", arrow::uint32(), "[4294967295]", arrow::int64(), "[4294967295]"},
      {"i", arrow::uint64(), "[9223372036854775807, null]", arrow::int64(), "[9223372036854775807, null]"},
      {"i", arrow::float64(), "[9007199254740992, -9007199254740992, -0.0, null]", arrow::int64(),
       "[9007199254740992, -9007199254740992, 0, null]"},
      {"i", arrow::float32(), "[16777216, null]", arrow::int64(), "[16777216, null]"},
      {"i", arrow::float16(), "[2048]", arrow::int64(), "[2048]"},
      {"i", arrow::boolean(), "[true, false, null]", arrow::int64(), "[1, 0, null]"},
      {"i", arrow::utf8(), R"(["7", "+7", "-007", "9223372036854775807", null])", arrow::int64(),
       "[7, 7, -7, 9223372036854775807, null]"},
      {"i", arrow::large_utf8(), R"(["12"])", arrow::int64(), "[12]"},
      {"i", arrow::utf8_view(), R"(["12", null])", arrow::int64(), "[12, null]"},
      {"f", arrow::int64(), "[9007199254740992, -9007199254740992, null]", arrow::float64(),
       "[9007199254740992, -9007199254740992, null]"},
      {"f", arrow::uint64(), "[9007199254740992]", arrow::float64(), "[9007199254740992]"},
      {"f", arrow::int8(), "[-1]", arrow::float64(), "[-1]"},
      {"f", arrow::boolean(), "[true, false]", arrow::float64(), "[1, 0]"},
      {"f", arrow::float32(), "[0.5, null]", arrow::float64(), "[0.5, null]"},
      {"f", arrow::float16(), "[1.5]", arrow::float64(), "[1.5]"},
      {"f", arrow::float64(), "[NaN, Inf, -Inf, 1.5]", arrow::float64(), "[NaN, Inf, -Inf, 1.5]"},
      {"f", arrow::utf8(), R"(["1.5", "-1e-3", "+2", ".5", "5.", "1E300", "9007199254740992", null])",
       arrow::float64(), "[1.5, -0.001, 2, 0.5, 5, 1e300, 9007199254740992, null]"},
      {"s", arrow::utf8(), R"(["a", null])", arrow::utf8(), R"(["a", null])"},
      {"s", arrow::large_utf8(), R"(["a", null])", arrow::large_utf8(), R"(["a", null])"},
      {"s", arrow::utf8_view(), R"(["a text longer than twelve bytes"])", arrow::utf8_view(),
       R"(["a text longer than twelve bytes"])"},
      {"s", arrow::int8(), "[-5, null]", arrow::utf8(), R"(["-5", null])"},
      {"s", arrow::uint64(), "[18446744073709551615]", arrow::utf8(), R"(["18446744073709551615"])"},
      {"s", arrow::float64(), "[1, 0.1, 1e300, NaN, -0.0, -1.5, 1e-7, 1e20]", arrow::utf8(),
       R"(["1", "0.1", "1e+300", null, "0", "-1.5", "1e-07", "100000000000000000000"])"},
      {"s", arrow::float64(), "[9007199254740991, 9007199254740992, 1e16, 1152921504606846976]",
       arrow::utf8(),
       R"(["9007199254740991", "9007199254740992", "10000000000000000", "1152921504606847000"])"},
      {"s", arrow::float32(), "[0.1, 16777216, 3, NaN, 1e10, 3.4e38]", arrow::utf8(),
       R"(["0.1", "16777216", "3", null, "10000000000", "3.4e+38"])"},
      {"s", arrow::float16(), "[0.1, 65504, 2, NaN, 0.333251953125]", arrow::utf8(),
       R"(["0.1", "65504", "2", null, "0.3333"])"},
      {"s", arrow::decimal128(12, 3), R"(["1.000", "0.500", "-12.345", "0.000", null])", arrow::utf8(),
       R"(["1", "0.5", "-12.345", "0", null])"},
      {"s", arrow::decimal128(38, 0), R"(["12345678901234567890123456789012345678"])", arrow::utf8(),
       R"(["12345678901234567890123456789012345678"])"},
      {"i", arrow::decimal128(5, 0), R"(["1", "-99999", null])", arrow::int64(), "[1, -99999, null]"},
      {"i", arrow::decimal128(38, 2), R"(["9223372036854775807.00", "-9223372036854775808.00"])",
       arrow::int64(), "[9223372036854775807, -9223372036854775808]"},
      {"i", arrow::decimal32(7, 2), R"(["12.00"])", arrow::int64(), "[12]"},
      {"i", arrow::decimal64(16, 0), R"(["9007199254740993"])", arrow::int64(), "[9007199254740993]"},
      {"i", arrow::decimal256(60, 1), R"(["7.0"])", arrow::int64(), "[7]"},
      {"f", arrow::decimal128(5, 2), R"(["1.00", "0.10", "-0.01", null])", arrow::float64(),
       "[1, 0.1, -0.01, null]"},
      {"f", arrow::decimal128(38, 0), R"(["9007199254740994", "1152921504606846976", "1152921504606847000"])",
       arrow::float64(), "[9007199254740994, 1152921504606846976, 1152921504606846976]"},
      {"f", arrow::decimal32(7, 3), R"(["0.125"])", arrow::float64(), "[0.125]"},
      {"s", arrow::boolean(), "[true, false]", arrow::utf8(), R"(["true", "false"])"},
  };
  for (const Cast& cast : casts) {
    SCOPED_TRACE(cast.column + " of " + cast.from->ToString() + " " + cast.json);
    const auto actual = cast_column(cast.column, array_of(cast.from, cast.json));
    ASSERT_TRUE(actual->ValidateFull().ok());
    ASSERT_EQ(actual->type()->ToString(), cast.to->ToString());
    EXPECT_TRUE(actual->Equals(*array_of(cast.to, cast.expected), arrow::EqualOptions().nans_equal(true)))
        << actual->ToString();
  }
}

struct BadCast {
  std::string column;
  std::shared_ptr<arrow::DataType> from;
  std::string json;
  ErrorCode code;
  std::int64_t row;  // -1: the type as a whole is refused
  std::string value;
};

TEST(Conform, RefusesEveryCastThatWouldLose) {
  const auto lossy = ErrorCode::lossy_cast;
  const auto wrong = ErrorCode::wrong_type;
  const std::vector<BadCast> casts = {
      {"i", arrow::uint64(), "[1, 9223372036854775808]", lossy, 1, "9223372036854775808"},
      {"i", arrow::float64(), "[1, null, 1.9]", lossy, 2, "1.9"},
      {"i", arrow::float64(), "[NaN]", lossy, 0, "NaN"},
      {"i", arrow::float64(), "[Inf]", lossy, 0, "Infinity"},
      {"i", arrow::float64(), "[9007199254740994]", lossy, 0, "9007199254740994.0"},
      {"i", arrow::float64(), "[-9007199254740994]", lossy, 0, "-9007199254740994.0"},
      {"i", arrow::float64(), "[9223372036854775808]", lossy, 0, "9.223372036854776e+18"},
      {"i", arrow::float32(), "[0.5]", lossy, 0, "0.5"},
      {"i", arrow::utf8(), R"(["1", "abc"])", lossy, 1, "abc"},
      {"i", arrow::utf8(), R"([""])", lossy, 0, ""},
      {"i", arrow::utf8(), R"([" 2"])", lossy, 0, " 2"},
      {"i", arrow::utf8(), R"(["2 "])", lossy, 0, "2 "},
      {"i", arrow::utf8(), R"(["1_0"])", lossy, 0, "1_0"},
      {"i", arrow::utf8(), R"(["0x10"])", lossy, 0, "0x10"},
      {"i", arrow::utf8(), R"(["1.0"])", lossy, 0, "1.0"},
      {"i", arrow::utf8(), R"(["+-1"])", lossy, 0, "+-1"},
      {"i", arrow::utf8(), R"(["-"])", lossy, 0, "-"},
      {"i", arrow::utf8(), R"(["9223372036854775808"])", lossy, 0, "9223372036854775808"},
      {"i", arrow::utf8_view(), R"(["1", "x"])", lossy, 1, "x"},
      {"i", arrow::date32(), "[1]", wrong, -1, ""},
      {"i", arrow::timestamp(arrow::TimeUnit::MICRO), "[1]", wrong, -1, ""},
      {"i", arrow::time64(arrow::TimeUnit::MICRO), "[1]", wrong, -1, ""},
      {"i", arrow::duration(arrow::TimeUnit::MICRO), "[1]", wrong, -1, ""},
      {"i", arrow::decimal128(5, 1), R"(["1.0", "1.5"])", lossy, 1, "1.5"},
      {"i", arrow::decimal128(38, 0), R"(["9223372036854775808"])", lossy, 0, "9223372036854775808"},
      {"i", arrow::list(arrow::int64()), "[[1]]", wrong, -1, ""},
      {"i", arrow::struct_({field("a", arrow::int64())}), R"([{"a": 1}])", wrong, -1, ""},
      {"i", arrow::binary(), R"(["1"])", wrong, -1, ""},
      {"f", arrow::int64(), "[1, 9007199254740993]", lossy, 1, "9007199254740993"},
      {"f", arrow::int64(), "[-9007199254740993]", lossy, 0, "-9007199254740993"},
      {"f", arrow::uint64(), "[9007199254740993]", lossy, 0, "9007199254740993"},
      {"f", arrow::utf8(), R"(["nan"])", lossy, 0, "nan"},
      {"f", arrow::utf8(), R"(["inf"])", lossy, 0, "inf"},
      {"f", arrow::utf8(), R"(["-Infinity"])", lossy, 0, "-Infinity"},
      {"f", arrow::utf8(), R"(["1e400"])", lossy, 0, "1e400"},
      {"f", arrow::utf8(), R"(["."])", lossy, 0, "."},
      {"f", arrow::utf8(), R"(["+-1.5"])", lossy, 0, "+-1.5"},
      {"f", arrow::utf8(), R"(["1,5"])", lossy, 0, "1,5"},
      {"f", arrow::utf8(), R"(["1e"])", lossy, 0, "1e"},
      {"f", arrow::utf8(), R"(["0x1p3"])", lossy, 0, "0x1p3"},
      {"f", arrow::utf8(), R"(["9007199254740993"])", lossy, 0, "9007199254740993"},
      {"f", arrow::date32(), "[1]", wrong, -1, ""},
      {"f", arrow::decimal128(38, 0), R"(["1", "9007199254740993"])", lossy, 1, "9007199254740993"},
      {"f", arrow::decimal128(38, 20), R"(["0.12345678901234567890"])", lossy, 0, "0.12345678901234567890"},
      {"f", arrow::decimal128(38, 2), R"(["123456789012345678.12"])", lossy, 0, "123456789012345678.12"},
      {"s", arrow::float64(), "[1, Inf]", lossy, 1, "Infinity"},
      {"s", arrow::float32(), "[-Inf]", lossy, 0, "-Infinity"},
      {"f", arrow::struct_({field("a", arrow::int64())}), R"([{"a": 1}])", wrong, -1, ""},
      {"s", arrow::list(arrow::utf8()), R"([["a"]])", wrong, -1, ""},
      {"s", arrow::struct_({field("a", arrow::int64())}), R"([{"a": 1}])", wrong, -1, ""},
      {"s", arrow::binary(), R"(["a"])", wrong, -1, ""},
      {"s", arrow::date32(), "[1]", wrong, -1, ""},
      {"st", arrow::utf8(), R"(["{}"])", wrong, -1, ""},
      {"st", arrow::list(arrow::struct_({field("a", arrow::int64())})), R"([[{"a": 1}]])", wrong, -1, ""},
      {"st", arrow::map(arrow::utf8(), arrow::int64()), R"([[["a", 1]]])", wrong, -1, ""},
      {"ls", arrow::struct_({field("a", arrow::int64())}), R"([{"a": 1}])", wrong, -1, ""},
      {"ls", arrow::list(arrow::int64()), "[[1]]", wrong, -1, ""},
  };
  for (const BadCast& cast : casts) {
    SCOPED_TRACE(cast.column + " of " + cast.from->ToString() + " " + cast.json);
    const Error error = refusal([&] { conform_column(cast.column, array_of(cast.from, cast.json)); });
    EXPECT_EQ(name_of(error.code()), std::string(name_of(cast.code)));
    EXPECT_EQ(error.facts().table, "kinds");
    EXPECT_EQ(error.facts().column, cast.column);
    EXPECT_EQ(error.facts().row.value_or(-1), cast.row);
    EXPECT_EQ(error.facts().value, cast.value);
    EXPECT_THAT(error.what(), HasSubstr("column \"" + cast.column + "\""));
  }
}

// What stands below a null is nobody's value.
TEST(Conform, IgnoresWhatStandsBelowNulls) {
  const auto floats = array_of(arrow::float64(), "[1, 1.5, 3]");
  const auto bitmap = array_of(arrow::boolean(), "[true, false, true]")->data()->buffers[1];
  const auto masked = std::make_shared<arrow::DoubleArray>(3, floats->data()->buffers[1], bitmap);
  expect_array(cast_column("i", masked), array_of(arrow::int64(), "[1, null, 3]"));
}

TEST(Conform, DecodesCategoriesOfEveryIndexAndTextType) {
  for (const auto& index : {arrow::int8(), arrow::uint8(), arrow::int16(), arrow::uint16(), arrow::int32(),
                            arrow::uint32(), arrow::int64(), arrow::uint64()}) {
    for (const auto& text : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view()}) {
      SCOPED_TRACE(index->ToString() + " " + text->ToString());
      const auto values = array_of(text, R"(["buy", "a text longer than twelve bytes", null])");
      const auto indices = array_of(index, "[1, 0, null, 2, 1]");
      const auto encoded =
          arrow::DictionaryArray::FromArrays(arrow::dictionary(index, text), indices, values).ValueOrDie();
      const auto expected = R"(["a text longer than twelve bytes", "buy", null, null,
                                "a text longer than twelve bytes"])";
      expect_array(cast_column("s", encoded), array_of(text, expected));
      expect_array(cast_column("s", encoded->Slice(1, 3)), array_of(text, R"(["buy", null, null])"));
    }
  }
}

TEST(Conform, NumbersInDictionariesFollowTheSameRules) {
  const auto encoded = arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int8(), arrow::float64()),
                                                          array_of(arrow::int8(), "[1, 0]"),
                                                          array_of(arrow::float64(), "[2, 3]"))
                           .ValueOrDie();
  expect_array(cast_column("i", encoded), array_of(arrow::int64(), "[3, 2]"));
}

TEST(Conform, AllNullColumnsOfAnyTypeFitNullableColumns) {
  const std::map<std::string, std::shared_ptr<arrow::DataType>> scalars = {
      {"i", arrow::int64()}, {"f", arrow::float64()}, {"s", arrow::utf8()}};
  for (const auto& [column, type] : scalars) {
    for (const auto& given : {arrow::null(), arrow::date32(), arrow::list(arrow::int8()), arrow::boolean()}) {
      expect_array(cast_column(column, array_of(given, "[null, null]")), array_of(type, "[null, null]"));
    }
  }
  const Conformed nested = conform_column("st", array_of(arrow::utf8(), "[null]"));
  EXPECT_EQ(nested.table->GetColumnByName("st"), nullptr);
  EXPECT_EQ(text_of(column_type(nested, "st")), "null");
}

TEST(Conform, RequiredColumnsMustBeThereAndHoldNoNull) {
  const core::TableDescriptor& holdings = *core::find_table("holdings");
  const auto frame = [](const std::string& agents, const std::string& quantities) {
    return table_of({{"quantity", array_of(arrow::int32(), quantities)},
                     {"tick", array_of(arrow::int64(), "[1, 2]")},
                     {"agent_id", array_of(arrow::utf8(), agents)},
                     {"token_id", array_of(arrow::utf8(), R"(["t", "t"])")}});
  };
  const Conformed good = conform(*frame(R"(["a", "b"])", "[1, 2]"), holdings, {}, {});
  EXPECT_EQ(good.table->schema()->field_names(),
            (std::vector<std::string>{"bucket", "tick", "agent_id", "token_id", "quantity"}));

  const Error null = refusal([&] { conform(*frame(R"(["a", null])", "[1, 2]"), holdings, {}, {}); });
  EXPECT_EQ(null.code(), ErrorCode::null_value);
  EXPECT_EQ(null.facts().column, "agent_id");
  EXPECT_EQ(null.facts().row, 1);

  const auto without = frame(R"(["a", "b"])", "[1, 2]")->RemoveColumn(2).ValueOrDie();
  const Error missing = refusal([&] { conform(*without, holdings, {}, {}); });
  EXPECT_EQ(missing.code(), ErrorCode::missing_column);
  EXPECT_EQ(missing.facts().column, "agent_id");
  EXPECT_EQ(missing.facts().table, "holdings");

  ConformOptions lax;
  lax.validate_schema = false;
  EXPECT_EQ(conform(*without, holdings, {}, lax).table->num_columns(), 4);
  const Conformed nulls = conform(*frame(R"(["a", null])", "[1, 2]"), holdings, {}, lax);
  EXPECT_EQ(nulls.table->GetColumnByName("agent_id")->null_count(), 1);
}

TEST(Conform, ANaNForARequiredTextIsMissing) {
  const core::TableDescriptor& holdings = *core::find_table("holdings");
  const auto frame = [](const std::shared_ptr<arrow::Array>& agents) {
    return table_of({{"tick", array_of(arrow::int64(), "[1, 2]")},
                     {"agent_id", agents},
                     {"token_id", array_of(arrow::float16(), "[3, 4]")},
                     {"quantity", array_of(arrow::int64(), "[1, 1]")}});
  };
  const auto encoded = arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int8(), arrow::float64()),
                                                          array_of(arrow::int8(), "[1, 0]"),
                                                          array_of(arrow::float64(), "[NaN, 7]"))
                           .ValueOrDie();
  for (const std::shared_ptr<arrow::Array>& agents :
       {array_of(arrow::float64(), "[7, NaN]"), array_of(arrow::float32(), "[7, NaN]"),
        array_of(arrow::float16(), "[7, NaN]"), std::shared_ptr<arrow::Array>(encoded)}) {
    const Error error = refusal([&] { conform(*frame(agents), holdings, {}, {}); });
    EXPECT_EQ(error.code(), ErrorCode::null_value);
    EXPECT_EQ(error.facts().column, "agent_id");
    EXPECT_EQ(error.facts().row, 1);
    EXPECT_EQ(error.facts().value, "NaN");
    ConformOptions checked;
    checked.validate_rows = true;
    const Error told = refusal([&] { conform(*frame(agents), holdings, {}, checked); });
    ASSERT_EQ(told.facts().violations.size(), 1U);
    EXPECT_EQ(told.facts().violations[0].rule, "column.required");
    EXPECT_EQ(told.facts().violations[0].first[0].value, "NaN");
    checked.quarantine = true;
    const Conformed sorted = conform(*frame(agents), holdings, {}, checked);
    expect_array(sorted.table->GetColumnByName("agent_id")->chunk(0), array_of(arrow::utf8(), R"(["7"])"));
    expect_array(sorted.table->GetColumnByName("token_id")->chunk(0), array_of(arrow::utf8(), R"(["3"])"));
    EXPECT_EQ(sorted.rejected->num_rows(), 1);
  }
}

TEST(Conform, AnInfinityForATextIsToldOnce) {
  ConformOptions checked;
  checked.validate_rows = true;
  const auto frame = table_of({{"tick", array_of(arrow::int64(), "[1, 2]")},
                               {"agent_id", array_of(arrow::float64(), "[Inf, 1]")},
                               {"token_id", array_of(arrow::utf8(), R"(["t", "t"])")},
                               {"quantity", array_of(arrow::int64(), "[1, 1]")}});
  const Error error = refusal([&] { conform(*frame, *core::find_table("holdings"), {}, checked); });
  ASSERT_EQ(error.facts().violations.size(), 1U);
  EXPECT_EQ(error.facts().violations[0].rule, "column.type");
  EXPECT_EQ(error.facts().value, "Infinity");
}

TEST(Conform, ANullBelowADictionaryIndexIsANull) {
  const auto agents = arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int8(), arrow::utf8()),
                                                         array_of(arrow::int8(), "[0, 1]"),
                                                         array_of(arrow::utf8(), R"(["a", null])"))
                          .ValueOrDie();
  const auto frame = table_of({{"tick", array_of(arrow::int64(), "[1, 2]")},
                               {"agent_id", agents},
                               {"token_id", array_of(arrow::utf8(), R"(["t", "t"])")},
                               {"quantity", array_of(arrow::int64(), "[1, 1]")}});
  const Error error = refusal([&] { conform(*frame, *core::find_table("holdings"), {}, {}); });
  EXPECT_EQ(error.code(), ErrorCode::null_value);
  EXPECT_EQ(error.facts().row, 1);
}

TEST(Conform, UnknownColumnsAreRefusedOrKeptAtTheEnd) {
  const auto frame = table_of({{"zebra", array_of(arrow::int8(), "[1]")},
                               {"s", array_of(arrow::utf8(), R"(["x"])")},
                               {"apple", array_of(arrow::utf8_view(), R"(["y"])")},
                               {"tick", array_of(arrow::int64(), "[5]")}});
  const Error error = refusal([&] { conform(*frame, kinds(), {}, {}); });
  EXPECT_EQ(error.code(), ErrorCode::unknown_column);
  EXPECT_EQ(error.facts().column, "zebra");
  ConformOptions lax;
  lax.strict_schema = false;
  const Conformed kept = conform(*frame, kinds(), {}, lax);
  EXPECT_EQ(kept.table->schema()->field_names(),
            (std::vector<std::string>{"bucket", "tick", "s", "zebra", "apple"}));
  EXPECT_EQ(kept.table->GetColumnByName("zebra")->type()->id(), arrow::Type::INT64);
  EXPECT_EQ(kept.table->GetColumnByName("apple")->type()->id(), arrow::Type::STRING_VIEW);
}

TEST(Conform, NamesMustBeSingleAndNotReserved) {
  const auto twice = table_of({{"tick", array_of(arrow::int64(), "[5]")},
                               {"s", array_of(arrow::utf8(), R"(["x"])")},
                               {"s", array_of(arrow::utf8(), R"(["x"])")}});
  EXPECT_EQ(refusal([&] { conform(*twice, kinds(), {}, {}); }).code(), ErrorCode::duplicate_column);
  EXPECT_EQ(refusal([&] { conform_column("_empty", array_of(arrow::int8(), "[1]")); }).code(),
            ErrorCode::reserved_name);
}

TEST(Conform, TicksAreWholeAndNotNegative) {
  struct Bad {
    std::shared_ptr<arrow::DataType> type;
    std::string json, value;
    std::int64_t row;
  };
  const std::vector<Bad> all = {
      {arrow::int64(), "[1, null]", "null", 1},
      {arrow::int64(), "[1, 2, -1]", "-1", 2},
      {arrow::float64(), "[1, 1.5]", "1.5", 1},
      {arrow::float64(), "[NaN]", "NaN", 0},
      {arrow::utf8(), R"(["1", "soon"])", "soon", 1},
      {arrow::uint64(), "[9223372036854775808]", "9223372036854775808", 0},
      {arrow::null(), "[null]", "null", 0},
      {arrow::date32(), "[1]", "", -1},
      {arrow::struct_({field("a", arrow::int8())}), R"([{"a": 1}])", "", -1},
  };
  for (const Bad& bad : all) {
    SCOPED_TRACE(bad.type->ToString() + " " + bad.json);
    const auto frame = table_of({{"tick", array_of(bad.type, bad.json)}});
    ConformOptions lax;
    lax.validate_schema = false;  // a tick is checked always
    const Error error = refusal([&] { conform(*frame, kinds(), {}, lax); });
    EXPECT_EQ(error.code(), ErrorCode::bad_tick);
    EXPECT_EQ(error.facts().column, "tick");
    EXPECT_EQ(error.facts().value, bad.value);
    EXPECT_EQ(error.facts().row.value_or(-1), bad.row);
  }
  for (const auto& [type, json] :
       std::map<std::string, std::string>{{"f", "[3, 250]"}, {"s", R"(["3", "250"])"}}) {
    const auto ticks = array_of(type == "f" ? arrow::float32() : arrow::utf8(), json);
    const Conformed good = conform(*table_of({{"tick", ticks}}), kinds(), {}, {});
    ASSERT_EQ(good.buckets.size(), 2U);
    EXPECT_EQ(good.buckets[1].id, 2);
    EXPECT_EQ(good.buckets[1].tick_min, 250);
  }
}

TEST(Conform, TheCallersBucketIsOverwritten) {
  const auto frame = table_of({{"bucket", array_of(arrow::utf8(), R"(["x", null])")},
                               {"tick", array_of(arrow::int64(), "[99, 100]")}});
  const Conformed result = conform(*frame, kinds(), {}, {});
  expect_array(result.table->GetColumnByName("bucket")->chunk(0), array_of(arrow::int64(), "[0, 1]"));
}

TEST(Conform, AFrameWithoutRowsIsCheckedForItsColumnsOnly) {
  const auto none = arrow::Table::Make(arrow::schema({}), arrow::ArrayVector(), 0);
  EXPECT_TRUE(conform(*none, *core::find_table("messages"), {}, {}).buckets.empty());

  const auto empty = [](const std::string& name, const std::shared_ptr<arrow::DataType>& type) {
    return arrow::Table::Make(arrow::schema({field(name, type)}),
                              {std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector(), type)}, 0);
  };
  EXPECT_TRUE(conform(*empty("i", arrow::utf8()), kinds(), {}, {}).buckets.empty());
  EXPECT_EQ(refusal([&] { conform(*empty("i", arrow::date32()), kinds(), {}, {}); }).code(),
            ErrorCode::wrong_type);
  EXPECT_EQ(refusal([&] { conform(*empty("x", arrow::utf8()), kinds(), {}, {}); }).code(),
            ErrorCode::unknown_column);
  EXPECT_EQ(refusal([&] { conform(*empty("st", arrow::utf8()), kinds(), {}, {}); }).code(),
            ErrorCode::wrong_type);
  EXPECT_EQ(refusal([&] { conform(*empty("tick", arrow::date32()), kinds(), {}, {}); }).code(),
            ErrorCode::bad_tick);
}

TEST(Conform, RowsWithoutATickAreRefusedAlways) {
  const auto frame = table_of({{"i", array_of(arrow::int64(), "[1]")}});
  ConformOptions lax;
  lax.validate_schema = false;
  const Error error = refusal([&] { conform(*frame, kinds(), {}, lax); });
  EXPECT_EQ(error.code(), ErrorCode::missing_column);
  EXPECT_EQ(error.facts().column, "tick");
}

TEST(Conform, SharesTheBuffersOfWhatFits) {
  const auto texts = array_of(arrow::large_utf8(), R"(["a", "b", null])");
  const auto floats = array_of(arrow::float64(), "[1, 2, null]");
  const auto structs =
      array_of(arrow::struct_({field("x", arrow::float64())}), R"([{"x": 1}, {"x": 2}, {"x": 3}])");
  const auto frame = table_of(
      {{"tick", array_of(arrow::int64(), "[1, 2, 300]")}, {"s", texts}, {"f", floats}, {"st", structs}});
  const Conformed result = conform(*frame, kinds(), {}, {});
  EXPECT_EQ(result.table->GetColumnByName("s")->chunk(0), texts);
  EXPECT_EQ(result.table->GetColumnByName("f")->chunk(0), floats);
  EXPECT_EQ(result.table->GetColumnByName("tick")->chunk(0), frame->GetColumnByName("tick")->chunk(0));
  EXPECT_EQ(result.table->GetColumnByName("st")->chunk(0)->data()->child_data[0]->buffers[1],
            structs->data()->child_data[0]->buffers[1]);
  EXPECT_EQ(result.buckets.at(1).rows->GetColumnByName("f")->chunk(0)->data()->buffers[1],
            floats->data()->buffers[1]);
}

TEST(Conform, ASliceOfAFrameNamesRowsOfTheSlice) {
  const auto frame = table_of({{"tick", array_of(arrow::int64(), "[1, 2, 3, 4]")},
                               {"i", array_of(arrow::float64(), "[0.5, 1, 2, 2.5]")}});
  const Error error = refusal([&] { conform(*frame->Slice(1, 3), kinds(), {}, {}); });
  EXPECT_EQ(error.facts().row, 2);
  EXPECT_EQ(error.facts().value, "2.5");
  const Conformed good = conform(*frame->Slice(1, 2), kinds(), {}, {});
  expect_array(good.table->GetColumnByName("i")->chunk(0), array_of(arrow::int64(), "[1, 2]"));
}

TEST(Conform, RowsAreCountedAcrossChunks) {
  const auto ticks = std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{array_of(arrow::int64(), "[1, 2, 3]"), array_of(arrow::int64(), "[4, 5]")});
  const auto values = std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{array_of(arrow::float64(), "[1]"), array_of(arrow::float64(), "[2, 3, 4.5, 5]")});
  const auto frame = arrow::Table::Make(
      arrow::schema({field("tick", arrow::int64()), field("i", arrow::float64())}), {ticks, values});
  EXPECT_EQ(refusal([&] { conform(*frame, kinds(), {}, {}); }).facts().row, 3);
}

TEST(Conform, ColumnsOfUnequalLengthAreRefused) {
  const auto frame =
      arrow::Table::Make(arrow::schema({field("tick", arrow::int64()), field("i", arrow::int64())}),
                         {array_of(arrow::int64(), "[1, 2]"), array_of(arrow::int64(), "[1]")}, 2);
  EXPECT_EQ(refusal([&] { conform(*frame, kinds(), {}, {}); }).code(), ErrorCode::wrong_type);
}

TEST(Conform, ValidateRowsNamesTheRowAndWritesNormalFormsBack) {
  const core::TableDescriptor& exchange = *core::find_table("exchange");
  const auto frame = [](const std::string& sides, const std::string& events) {
    const auto payload = arrow::struct_({field("k", arrow::int8())});
    return table_of({{"tick", array_of(arrow::int64(), "[1, 120]")},
                     {"venue_id", array_of(arrow::utf8(), R"(["v", "v"])")},
                     {"token_id", array_of(arrow::utf8(), R"(["t", "t"])")},
                     {"exchange_event_type", array_of(arrow::utf8(), events)},
                     {"side", array_of(arrow::large_utf8(), sides)},
                     {"additional_payload", array_of(payload, R"([{"k": 1}, {"k": null}])")}});
  };
  ConformOptions checked;
  checked.validate_rows = true;
  const Conformed good = conform(*frame(R"(["BUY", null])", R"(["trade", "gift"])"), exchange, {}, checked);
  EXPECT_EQ(*rows_to_json(*good.table)[0].find("side"), Json("buy"));
  EXPECT_TRUE(rows_to_json(*good.table)[1].find("side")->is_null());
  EXPECT_EQ(*rows_to_json(*good.buckets.at(0).rows)[0].find("side"), Json("buy"));

  const Error side =
      refusal([&] { conform(*frame(R"(["buy", "both"])", R"(["trade", "gift"])"), exchange, {}, checked); });
  EXPECT_EQ(side.code(), ErrorCode::row_rule);
  EXPECT_EQ(side.facts().table, "exchange");
  EXPECT_EQ(side.facts().column, "side");
  EXPECT_EQ(side.facts().row, 1);
  EXPECT_EQ(side.facts().value, "both");
  EXPECT_NO_THROW(conform(*frame(R"(["buy", "both"])", R"(["trade", "gift"])"), exchange, {}, {}));
}

TEST(Conform, ValidateRowsChecksRulesAcrossColumns) {
  const auto frame =
      table_of({{"tick", array_of(arrow::int64(), "[1, 2]")},
                {"observer_agent_id", array_of(arrow::utf8(), R"(["a", "a"])")},
                {"edge_kind", array_of(arrow::utf8(), R"(["self_to_positive_valence", "self_to_agent"])")},
                {"edge_weight", array_of(arrow::int8(), "[1, 1]")},
                {"subject_id", array_of(arrow::utf8(), R"([null, "b"])")}});
  ConformOptions checked;
  checked.validate_rows = true;
  const Error error = refusal([&] { conform(*frame, *core::find_table("identity_edges"), {}, checked); });
  EXPECT_EQ(error.code(), ErrorCode::row_rule);
  EXPECT_EQ(error.facts().row, 1);
  EXPECT_THAT(error.what(), HasSubstr("object_id"));
}

}  // namespace
}  // namespace crv::io
