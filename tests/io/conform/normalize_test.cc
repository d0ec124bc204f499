#include "io/conform/normalize.h"

#include <string>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/json.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"

namespace crv::io {
namespace {

using arrow::field;
using testing::HasSubstr;

Type type_of(const std::string& json) {
  return type_from_json(parse_json(json));
}

// `held`: as JSON, "" for a column that the run does not know.
Normalized normalized(const std::shared_ptr<arrow::Array>& array, const std::string& held = "") {
  const arrow::ChunkedArray column(array);
  const Place place("t", "c", column);
  if (held.empty()) return normalize(column, place, nullptr);
  const Type type = type_of(held);
  return normalize(column, place, &type);
}

std::string type_text(const Normalized& result) {
  return write_json(type_to_json(result.type));
}

void expect_column(const Normalized& result, const std::string& type,
                   const std::shared_ptr<arrow::DataType>& stored, const std::string& json) {
  EXPECT_EQ(type_text(result), type);
  ASSERT_NE(result.values, nullptr);
  ASSERT_EQ(result.values->num_chunks(), 1);
  expect_array(result.values->chunk(0), array_of(stored, json));
}

std::shared_ptr<arrow::DataType> list_type(const std::shared_ptr<arrow::DataType>& element) {
  return arrow::list(field("element", element));
}
std::shared_ptr<arrow::DataType> large_list_type(const std::shared_ptr<arrow::DataType>& element) {
  return arrow::large_list(field("element", element));
}
std::shared_ptr<arrow::DataType> empty() {
  return arrow::struct_({field("_empty", arrow::boolean())});
}

TEST(Normalize, OneTypeForEachKindOfLeaf) {
  const auto from = arrow::struct_(
      {field("a", arrow::uint8()), field("b", arrow::float32()), field("c", arrow::utf8_view()),
       field("d", arrow::boolean()), field("e", arrow::large_utf8()), field("f", arrow::float16()),
       field("g", arrow::date64()), field("h", arrow::timestamp(arrow::TimeUnit::SECOND, "UTC")),
       field("i", arrow::binary_view())});
  const auto to = arrow::struct_(
      {field("a", arrow::int64()), field("b", arrow::float64()), field("c", arrow::large_utf8()),
       field("d", arrow::boolean()), field("e", arrow::large_utf8()), field("f", arrow::float64()),
       field("g", arrow::date32()), field("h", arrow::timestamp(arrow::TimeUnit::MILLI, "UTC")),
       field("i", arrow::large_binary())});
  expect_column(
      normalized(array_of(from, R"([{"a": 255, "b": 0.5, "c": "x", "d": true, "e": "y", "f": 2, "g": 86400000,
                                     "h": 5, "i": "zz"}, null, {"a": null}])")),
      R"({"struct":{"a":"i64","b":"f64","c":"str","d":"bool","e":"str","f":"f64","g":{"other":"date32[day]"},)"
      R"("h":{"other":"timestamp[ms, tz=UTC]"},"i":{"other":"binary"}}})",
      to, R"([{"a": 255, "b": 0.5, "c": "x", "d": true, "e": "y", "f": 2, "g": 1, "h": 5000, "i": "zz"},
              null, {"a": null}])");
}

TEST(Normalize, ListsOfEveryKind) {
  const std::string json = "[[1, 2], null, [null, 3]]";
  expect_column(normalized(array_of(arrow::list(arrow::int8()), json)), R"({"list":"i64"})",
                list_type(arrow::int64()), json);
  for (const auto& type : {arrow::large_list(arrow::int8()), arrow::list_view(arrow::int8()),
                           arrow::large_list_view(arrow::int8()), arrow::fixed_size_list(arrow::int8(), 2)}) {
    SCOPED_TRACE(type->ToString());
    const auto array = array_of(type, json);
    expect_column(normalized(array), R"({"list":"i64"})", large_list_type(arrow::int64()), json);
    expect_column(normalized(array->Slice(1, 2)), R"({"list":"i64"})", large_list_type(arrow::int64()),
                  "[null, [null, 3]]");
  }
  expect_column(normalized(array_of(arrow::list(arrow::int8()), json)->Slice(2, 1)), R"({"list":"i64"})",
                list_type(arrow::int64()), "[[null, 3]]");
}

TEST(Normalize, AMapIsAListOfItsEntries) {
  expect_column(
      normalized(array_of(arrow::map(arrow::utf8(), arrow::int8()), R"([[["a", 1], ["b", null]], null])")),
      R"({"list":{"struct":{"key":"str","value":"i64"}}})",
      list_type(arrow::struct_({field("key", arrow::utf8()), field("value", arrow::int64())})),
      R"([[{"key": "a", "value": 1}, {"key": "b", "value": null}], null])");
}

TEST(Normalize, CategoriesInsideBecomeText) {
  const auto encoded =
      arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::uint32(), arrow::utf8_view()),
                                         array_of(arrow::uint32(), "[1, 0, null]"),
                                         array_of(arrow::utf8_view(), R"(["a", "b"])"))
          .ValueOrDie();
  const auto array = arrow::StructArray::Make({encoded}, std::vector<std::string>{"k"}).ValueOrDie();
  expect_column(normalized(array), R"({"struct":{"k":"str"}})",
                arrow::struct_({field("k", arrow::large_utf8())}),
                R"([{"k": "b"}, {"k": "a"}, {"k": null}])");
}

TEST(Normalize, UnknownPathsAreOmittedAndNoted) {
  const auto array =
      array_of(arrow::struct_({field("a", arrow::int8()), field("b", arrow::null())}), R"([{"a": 1}])");
  expect_column(normalized(array), R"({"struct":{"a":"i64","b":"null"}})",
                arrow::struct_({field("a", arrow::int64())}), R"([{"a": 1}])");
  const Normalized whole = normalized(array_of(arrow::null(), "[null, null]"));
  EXPECT_EQ(type_text(whole), R"("null")");
  EXPECT_EQ(whole.values, nullptr);
}

TEST(Normalize, UnknownPathsTakeTheTypeTheRunRemembers) {
  expect_column(
      normalized(array_of(arrow::struct_({field("a", arrow::null())}), R"([{"a": null}])"),
                 R"({"struct":{"a":{"struct":{"x":"i64!","y":"null","z":{"list":"null"}}},"q":"str"}})"),
      R"({"struct":{"a":{"struct":{"x":"i64","z":{"list":"null"}}}}})",
      arrow::struct_(
          {field("a", arrow::struct_({field("x", arrow::int64()), field("z", list_type(empty()))}))}),
      R"([{"a": null}])");
  expect_column(normalized(array_of(arrow::list(arrow::null()), "[[], [null]]"), R"({"list":"f64"})"),
                R"({"list":"f64"})", list_type(arrow::float64()), "[[], [null]]");
  expect_column(normalized(array_of(arrow::null(), "[null]"), R"({"other":"timestamp[us, tz=UTC]"})"),
                R"({"other":"timestamp[us, tz=UTC]"})", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                "[null]");
}

TEST(Normalize, EmptyStructsHoldAPlaceholder) {
  expect_column(normalized(array_of(arrow::struct_({}), "[{}, null, {}]")), R"({"struct":{}})", empty(),
                R"([{"_empty": null}, null, {"_empty": null}])");
  expect_column(normalized(array_of(arrow::struct_({field("a", arrow::null())}), R"([{"a": null}])")),
                R"({"struct":{"a":"null"}})", empty(), R"([{"_empty": null}])");
  expect_column(
      normalized(array_of(arrow::struct_({field("a", arrow::struct_({}))}), R"([{"a": {}}, {"a": null}])")),
      R"({"struct":{"a":{"struct":{}}}})", arrow::struct_({field("a", empty())}),
      R"([{"a": {"_empty": null}}, {"a": null}])");
  expect_column(normalized(array_of(arrow::list(arrow::null()), "[[], [null, null], null]")),
                R"({"list":"null"})", list_type(empty()), "[[], [null, null], null]");
  expect_column(normalized(array_of(arrow::list(arrow::struct_({})), "[[{}, {}], []]")),
                R"({"list":{"struct":{}}})", list_type(empty()),
                R"([[{"_empty": null}, {"_empty": null}], []])");
  // Fields that the run knows and this append lacks are absent.
  expect_column(normalized(array_of(arrow::struct_({}), "[{}]"), R"({"struct":{"a":"i64"}})"),
                R"({"struct":{}})", empty(), R"([{"_empty": null}])");
}

TEST(Normalize, FieldsComeInTheOrderThatTheRunRemembers) {
  const auto type =
      arrow::struct_({field("new", arrow::int8()), field("b", arrow::int8()), field("a", arrow::utf8())});
  expect_column(
      normalized(array_of(type, R"([{"new": 1, "b": 2, "a": "x"}])"),
                 R"({"struct":{"a":"str","gone":"i64","b":"i64"}})"),
      R"({"struct":{"a":"str","b":"i64","new":"i64"}})",
      arrow::struct_({field("a", arrow::utf8()), field("b", arrow::int64()), field("new", arrow::int64())}),
      R"([{"a": "x", "b": 2, "new": 1}])");
}

TEST(Normalize, NamesAreSingleAndNotReserved) {
  const Error reserved = refusal([] { normalized(array_of(arrow::struct_({field("x", empty())}), "[]")); });
  EXPECT_EQ(reserved.code(), ErrorCode::reserved_name);
  EXPECT_EQ(reserved.facts().column, "c.x._empty");
  const auto twice = arrow::StructArray::Make(
      {array_of(arrow::int8(), "[1]"), array_of(arrow::int8(), "[1]")}, std::vector<std::string>{"a", "a"});
  const Error duplicate = refusal([&] { normalized(twice.ValueOrDie()); });
  EXPECT_EQ(duplicate.code(), ErrorCode::duplicate_column);
  EXPECT_EQ(duplicate.facts().column, "c.a");
}

TEST(Normalize, IntegersFollowThePathIntoFloats) {
  const auto type = arrow::struct_({field("p", arrow::int32())});
  expect_column(normalized(array_of(type, R"([{"p": 3}, {"p": null}])"), R"({"struct":{"p":"f64"}})"),
                R"({"struct":{"p":"f64"}})", arrow::struct_({field("p", arrow::float64())}),
                R"([{"p": 3}, {"p": null}])");
  const auto large = arrow::struct_({field("p", arrow::int64())});
  const std::string limit = R"([{"p": 9007199254740992}, {"p": -9007199254740992}])";
  expect_column(normalized(array_of(large, limit), R"({"struct":{"p":"f64"}})"), R"({"struct":{"p":"f64"}})",
                arrow::struct_({field("p", arrow::float64())}), limit);
  const Error lossy = refusal([&] {
    normalized(array_of(large, R"([{"p": 1}, {"p": 9007199254740993}])"), R"({"struct":{"p":"f64"}})");
  });
  EXPECT_EQ(lossy.code(), ErrorCode::lossy_cast);
  EXPECT_EQ(lossy.facts().column, "c.p");
  EXPECT_EQ(lossy.facts().row, 1);
  EXPECT_EQ(lossy.facts().value, "9007199254740993");
}

TEST(Normalize, FloatsWidenAPathUnlessItHeldLargeIntegers) {
  const auto array = array_of(arrow::struct_({field("p", arrow::float32())}), R"([{"p": 0.5}])");
  expect_column(normalized(array, R"({"struct":{"p":"i64"}})"), R"({"struct":{"p":"f64"}})",
                arrow::struct_({field("p", arrow::float64())}), R"([{"p": 0.5}])");
  const Error error = refusal([&] { normalized(array, R"({"struct":{"p":"i64!"}})"); });
  EXPECT_EQ(error.code(), ErrorCode::type_conflict);
  EXPECT_EQ(error.facts().column, "c.p");
  EXPECT_EQ(error.facts().value, "0.5");
}

TEST(Normalize, PathsWithLargeIntegersAreMarked) {
  const auto type_after = [](const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
    return type_text(normalized(array_of(type, json)));
  };
  EXPECT_EQ(type_after(arrow::int64(), "[9007199254740992, -9007199254740992]"), R"("i64")");
  EXPECT_EQ(type_after(arrow::int64(), "[1, 9007199254740993]"), R"("i64!")");
  EXPECT_EQ(type_after(arrow::int64(), "[-9007199254740993]"), R"("i64!")");
  EXPECT_EQ(type_after(arrow::uint64(), "[9223372036854775807]"), R"("i64!")");
  EXPECT_EQ(type_after(arrow::list(arrow::int64()), "[[], [1, 9007199254740993]]"), R"({"list":"i64!"})");
  const auto values = array_of(arrow::int64(), "[9007199254740993, 1]");
  const auto bitmap = array_of(arrow::boolean(), "[false, true]")->data()->buffers[1];
  const auto below_null = std::make_shared<arrow::Int64Array>(2, values->data()->buffers[1], bitmap);
  EXPECT_EQ(type_text(normalized(below_null)), R"("i64")");

  const Error error =
      refusal([&] { type_after(arrow::list(arrow::uint64()), "[[1], [], [2, 9223372036854775808]]"); });
  EXPECT_EQ(error.code(), ErrorCode::lossy_cast);
  EXPECT_EQ(error.facts().column, "c[]");
  EXPECT_EQ(error.facts().row, 2);
  EXPECT_EQ(error.facts().value, "9223372036854775808");
}

TEST(Normalize, KindsThatDoNotMeetAreRefusedWithPathAndRow) {
  const auto text = array_of(arrow::list(arrow::struct_({field("p", arrow::utf8())})),
                             R"([[], [{"p": null}, {"p": "high"}], [{"p": "low"}]])");
  const Error error = refusal([&] { normalized(text, R"({"list":{"struct":{"p":"f64"}}})"); });
  EXPECT_EQ(error.code(), ErrorCode::type_conflict);
  EXPECT_EQ(error.facts().table, "t");
  EXPECT_EQ(error.facts().column, "c[].p");
  EXPECT_EQ(error.facts().row, 1);
  EXPECT_EQ(error.facts().value, "high");
  EXPECT_THAT(error.what(), HasSubstr("f64"));
  EXPECT_THAT(error.what(), HasSubstr("str"));

  const std::vector<std::pair<std::shared_ptr<arrow::Array>, std::string>> others = {
      {array_of(arrow::boolean(), "[true]"), R"("i64")"},
      {array_of(arrow::int8(), "[1]"), R"("bool")"},
      {array_of(arrow::int8(), "[1]"), R"("str")"},
      {array_of(arrow::int8(), "[1]"), R"({"struct":{}})"},
      {array_of(arrow::list(arrow::int8()), "[[1]]"), R"("i64")"},
      {array_of(arrow::struct_({field("a", arrow::int8())}), R"([{"a": 1}])"), R"({"list":"i64"})"},
      {array_of(arrow::date32(), "[1]"), R"({"other":"timestamp[us]"})"},
      {array_of(arrow::date32(), "[1]"), R"("i64")"},
  };
  for (const auto& [array, held] : others) {
    EXPECT_EQ(refusal([&] { normalized(array, held); }).code(), ErrorCode::type_conflict) << held;
  }
}

TEST(Normalize, NothingButNullsMeetsAnyKind) {
  expect_column(normalized(array_of(arrow::struct_({field("a", arrow::utf8())}), R"([{"a": null}])"),
                           R"({"struct":{"a":"i64"}})"),
                R"({"struct":{"a":"i64"}})", arrow::struct_({field("a", arrow::int64())}),
                R"([{"a": null}])");
  expect_column(
      normalized(array_of(arrow::list(arrow::utf8()), "[[], null]"), R"({"list":{"struct":{"a":"i64"}}})"),
      R"({"list":{"struct":{"a":"i64"}}})", list_type(arrow::struct_({field("a", arrow::int64())})),
      "[[], null]");
}

TEST(Normalize, NullsOfAStructCoverItsFields) {
  const auto children =
      arrow::StructArray::Make({array_of(arrow::uint64(), "[18446744073709551615, 1]")},
                               std::vector<std::string>{"a"},
                               array_of(arrow::boolean(), "[false, true]")->data()->buffers[1])
          .ValueOrDie();
  expect_column(normalized(children), R"({"struct":{"a":"i64"}})",
                arrow::struct_({field("a", arrow::int64())}), R"([null, {"a": 1}])");
}

TEST(Normalize, ElementsBelowANullListDoNotCount) {
  const auto offsets = array_of(arrow::int32(), "[0, 1, 2]")->data()->buffers[1];
  const auto bitmap = array_of(arrow::boolean(), "[false, true]")->data()->buffers[1];
  const auto lists =
      std::make_shared<arrow::ListArray>(arrow::list(arrow::uint64()), 2, offsets,
                                         array_of(arrow::uint64(), "[18446744073709551615, 7]"), bitmap);
  expect_column(normalized(lists), R"({"list":"i64"})", list_type(arrow::int64()), "[null, [7]]");
}

TEST(Normalize, WhatParquetCannotHoldIsRefused) {
  for (const auto& type : {arrow::month_interval(), arrow::extension::uuid(),
                           arrow::struct_({field("a", arrow::day_time_interval())}),
                           arrow::sparse_union({field("a", arrow::int8())}, {0})}) {
    const auto array = arrow::MakeArrayOfNull(type, 1).ValueOrDie();
    EXPECT_EQ(refusal([&] { normalized(array); }).code(), ErrorCode::wrong_type) << type->ToString();
  }
  std::shared_ptr<arrow::DataType> deep = arrow::int8();
  for (int i = 0; i < 130; ++i) deep = arrow::list(deep);
  const Error error = refusal([&] { normalized(arrow::MakeEmptyArray(deep).ValueOrDie()); });
  EXPECT_EQ(error.code(), ErrorCode::wrong_type);
  EXPECT_THAT(error.what(), HasSubstr("32"));
}

TEST(Normalize, MomentsWithAnOffsetAreThoseMomentsInUtc) {
  for (const char* offset : {"+05:30", "-09:30", "+00:00", "+14:00"}) {
    const auto moments =
        array_of(arrow::timestamp(arrow::TimeUnit::MICRO, offset), "[1700000000000000, null]");
    expect_column(normalized(moments), R"({"other":"timestamp[us, tz=UTC]"})",
                  arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1700000000000000, null]");
  }
  const auto seconds = array_of(arrow::timestamp(arrow::TimeUnit::SECOND, "+05:30"), "[1700000000]");
  expect_column(normalized(seconds), R"({"other":"timestamp[ms, tz=UTC]"})",
                arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), "[1700000000000]");
}

TEST(Normalize, NullsTakeNoTypeOrNameThatOnlyOlderWritersTook) {
  const auto nulls = array_of(arrow::null(), "[null]");
  const Normalized unknown = normalized(nulls, R"({"other":"duration[us]"})");
  EXPECT_EQ(type_text(unknown), R"("null")");
  EXPECT_EQ(unknown.values, nullptr);
  expect_column(
      normalized(nulls, R"({"struct":{"a":"i64","d":{"other":"timestamp[us, tz=+05:30]"},"*":"i64"}})"),
      R"({"struct":{"a":"i64"}})", arrow::struct_({field("a", arrow::int64())}), "[null]");
  expect_column(normalized(nulls, R"-({"list":{"other":"decimal256(40, 0)"}})-"), R"({"list":"null"})",
                list_type(empty()), "[null]");
}

TEST(Normalize, OtherTypesPassAsTheyAre) {
  const auto decimals = array_of(arrow::decimal128(9, 2), R"(["1.25", null])");
  expect_column(normalized(decimals), R"-({"other":"decimal128(9, 2)"})-", arrow::decimal128(9, 2),
                R"(["1.25", null])");
  const auto binary = array_of(arrow::large_binary(), R"(["a"])");
  EXPECT_EQ(normalized(binary).values->chunk(0), binary);
  const auto seconds = array_of(arrow::timestamp(arrow::TimeUnit::SECOND), "[253402300799]");
  EXPECT_NO_THROW(normalized(seconds));
  const auto no_date = array_of(arrow::timestamp(arrow::TimeUnit::SECOND), "[9223372036854775]");
  EXPECT_EQ(refusal([&] { normalized(no_date); }).code(), ErrorCode::wrong_type);
  const auto beyond = array_of(arrow::timestamp(arrow::TimeUnit::SECOND), "[9223372036854776]");
  EXPECT_EQ(refusal([&] { normalized(beyond); }).code(), ErrorCode::wrong_type);
}

TEST(Normalize, DecimalsBecomeNumbersWhereThePathHoldsSuch) {
  const auto whole = array_of(arrow::decimal128(38, 0), R"(["5", null, "9007199254740993"])");
  expect_column(normalized(whole, R"("i64")"), R"("i64!")", arrow::int64(), "[5, null, 9007199254740993]");
  const auto cents = array_of(arrow::decimal64(9, 2), R"(["0.10", null, "3.00"])");
  expect_column(normalized(cents, R"("f64")"), R"("f64")", arrow::float64(), "[0.1, null, 3]");
  expect_column(normalized(cents, R"("i64")"), R"("f64")", arrow::float64(), "[0.1, null, 3]");
  expect_column(normalized(array_of(arrow::decimal128(9, 2), R"(["7.00"])"), R"("i64!")"), R"("i64")",
                arrow::int64(), "[7]");
  const auto refused = [](const std::shared_ptr<arrow::DataType>& type, const std::string& json,
                          const std::string& held) {
    return refusal([&] { normalized(array_of(type, json), held); });
  };
  const Error lossy = refused(arrow::decimal128(38, 20), R"([null, "0.12345678901234567890"])", R"("f64")");
  EXPECT_EQ(lossy.code(), ErrorCode::lossy_cast);
  EXPECT_EQ(lossy.facts().row, 1);
  EXPECT_EQ(lossy.facts().value, "0.12345678901234567890");
  EXPECT_EQ(refused(arrow::decimal128(38, 0), R"(["9007199254740993"])", R"("f64")").code(),
            ErrorCode::lossy_cast);
  EXPECT_EQ(refused(arrow::decimal128(9, 2), R"(["0.10"])", R"("i64!")").code(), ErrorCode::type_conflict);
  EXPECT_EQ(refused(arrow::decimal128(9, 2), R"(["0.10"])", R"("str")").code(), ErrorCode::type_conflict);
}

TEST(Normalize, NumbersBecomeTheDecimalsThatThePathHolds) {
  const std::string held = R"-({"other":"decimal128(9, 2)"})-";
  const auto stored = arrow::decimal128(9, 2);
  expect_column(normalized(array_of(arrow::int8(), "[7, null, -1]"), held), held, stored,
                R"(["7.00", null, "-1.00"])");
  expect_column(normalized(array_of(arrow::decimal128(38, 4), R"(["0.1000", null])"), held), held, stored,
                R"(["0.10", null])");
  for (const auto& [type, json] : {std::pair(arrow::int64(), "[1, 10000000]"),
                                   std::pair(arrow::decimal128(9, 3), R"(["1.000", "0.001"])")}) {
    const Error error = refusal([&] { normalized(array_of(type, json), held); });
    EXPECT_EQ(error.code(), ErrorCode::lossy_cast);
    EXPECT_EQ(error.facts().row, 1);
  }
  EXPECT_EQ(refusal([&] { normalized(array_of(arrow::float64(), "[0.5]"), held); }).code(),
            ErrorCode::type_conflict);
}

TEST(Normalize, NumbersWhereTextIsDeclaredBecomeText) {
  const auto type =
      arrow::list(arrow::struct_({field("key", arrow::float32()), field("score", arrow::float64())}));
  const arrow::ChunkedArray column(array_of(
      type, R"([[{"key": NaN, "score": NaN}, {"key": 1, "score": 1}], [{"key": 0.1, "score": 2}], null])"));
  const Type declared = list_of(struct_of({{"key", type_of(R"("str")")}}));
  const auto with_held = [&](const std::string& held) {
    const Type known = type_of(held);
    return normalize(column, Place("t", "c", column), &known, &declared);
  };
  const auto texts =
      list_type(arrow::struct_({field("key", arrow::utf8()), field("score", arrow::float64())}));
  const std::string expected =
      R"([[{"key": null, "score": NaN}, {"key": "1", "score": 1}], [{"key": "0.1", "score": 2}], null])";
  for (const auto* held :
       {R"("null")", R"({"list":{"struct":{"key":"str"}}})", R"({"list":{"struct":{"key":"null"}}})"}) {
    const Normalized result = with_held(held);
    EXPECT_EQ(type_text(result), R"({"list":{"struct":{"key":"str","score":"f64"}}})");
    EXPECT_TRUE(
        result.values->chunk(0)->Equals(*array_of(texts, expected), arrow::EqualOptions().nans_equal(true)))
        << result.values->ToString();
  }
  // A run that holds numbers there, as earlier versions wrote them, keeps them.
  EXPECT_EQ(type_text(with_held(R"({"list":{"struct":{"key":"i64"}}})")),
            R"({"list":{"struct":{"key":"f64","score":"f64"}}})");
}

TEST(Normalize, KeepsChunksAndCountsRowsAcrossThem) {
  const auto type = arrow::list(arrow::uint64());
  const arrow::ChunkedArray column({array_of(type, "[[1], [2, 3]]"), array_of(type, "[[], [4]]")});
  const Normalized result = normalize(column, Place("t", "c", column), nullptr);
  EXPECT_EQ(result.values->num_chunks(), 2);
  expect_array(result.values->chunk(1), array_of(list_type(arrow::int64()), "[[], [4]]"));

  const arrow::ChunkedArray bad(
      {array_of(type, "[[1], [2, 3]]"), array_of(type, "[[], [4, 9223372036854775808]]")});
  EXPECT_EQ(refusal([&] { normalize(bad, Place("t", "c", bad), nullptr); }).facts().row, 3);
}

}  // namespace
}  // namespace crv::io
