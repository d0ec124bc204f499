#include <arrow/api.h>
#include <gtest/gtest.h>

#include "io/arrow/arrow_types.h"
#include "io/support/arrow_json.h"

namespace crv::io {
namespace {

using arrow::field;
using Kind = Type::Kind;
using TypePtr = std::shared_ptr<arrow::DataType>;

const Type kNull = core::plain_type(Kind::null), kBool = core::plain_type(Kind::boolean),
           kI64 = core::plain_type(Kind::i64), kF64 = core::plain_type(Kind::f64),
           kStr = core::plain_type(Kind::str);

// `given` of type `from` must come out as `expected` of type `to`; so must every slice of it.
void expect_adapts(const TypePtr& from, const std::string& given, const Type& to,
                   const std::string& expected) {
  SCOPED_TRACE(from->ToString() + " -> " + text_of(to));
  const auto array = array_of(from, given);
  const auto result = array_of(to_arrow(to), expected);
  for (std::int64_t offset = 0; offset <= array->length(); ++offset) {
    for (std::int64_t length = 0; length <= array->length() - offset; ++length) {
      expect_array(adapt(array->Slice(offset, length), to), result->Slice(offset, length));
    }
  }
}

void expect_refused(const TypePtr& from, const std::string& given, const Type& to,
                    const std::string& column = "c") {
  ErrorFacts facts;
  facts.path = "part-x.parquet";
  facts.column = "c";
  try {
    adapt(array_of(from, given), to, facts);
    ADD_FAILURE() << from->ToString() << " was taken as " << text_of(to);
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.code(), ErrorCode::part_damaged);
    EXPECT_EQ(error.facts().path, "part-x.parquet");
    EXPECT_EQ(error.facts().column, column);
  }
}

TEST(Adapt, SharesWhatHasTheRightShape) {
  const auto array = array_of(arrow::int64(), "[1, null, 3]");
  EXPECT_EQ(adapt(array, kI64), array);
  // A struct that lacks a field keeps the others' buffers.
  const auto given = array_of(arrow::struct_({field("a", arrow::int64())}), R"([{"a": 1}, {"a": 2}])");
  const auto adapted = adapt(given, struct_of({{"b", kStr}, {"a", kI64}}));
  EXPECT_EQ(adapted->data()->child_data[1]->buffers[1]->address(),
            given->data()->child_data[0]->buffers[1]->address());
}

TEST(Adapt, NumbersOfEveryWidth) {
  for (const auto& type : {arrow::int8(), arrow::int16(), arrow::int32(), arrow::int64(), arrow::uint8(),
                           arrow::uint16(), arrow::uint32(), arrow::uint64()}) {
    expect_adapts(type, "[1, null, 127]", kI64, "[1, null, 127]");
    expect_adapts(type, "[1, null, 127]", kF64, "[1, null, 127]");
  }
  for (const auto& type : {arrow::float16(), arrow::float32(), arrow::float64()}) {
    expect_adapts(type, "[0.5, null, -2]", kF64, "[0.5, null, -2]");
  }
  expect_adapts(arrow::int64(), "[9007199254740993]", kF64, "[9007199254740992]");
  expect_refused(arrow::uint64(), "[9223372036854775808]", kI64);
}

TEST(Adapt, TextOfEveryForm) {
  const std::string texts = R"(["a", null, "", "a longer text than fits into a view", "ü"])";
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view()}) {
    expect_adapts(type, texts, kStr, texts);
    expect_adapts(arrow::dictionary(arrow::int8(), type), texts, kStr, texts);
  }
}

TEST(Adapt, ListsOfEveryForm) {
  const std::string lists = "[[1, 2], null, [], [null, 3]]";
  for (const auto& type :
       {arrow::list(arrow::int32()), arrow::large_list(arrow::int32()), arrow::list_view(arrow::int32()),
        arrow::large_list_view(arrow::int32()), arrow::list(arrow::int64())}) {
    expect_adapts(type, lists, list_of(kI64), lists);
    expect_adapts(type, lists, list_of(kF64), lists);
  }
  expect_adapts(arrow::fixed_size_list(arrow::int32(), 2), "[[1, 2], null, [3, null]]", list_of(kI64),
                "[[1, 2], null, [3, null]]");
  expect_adapts(
      arrow::map(arrow::large_utf8(), arrow::int32()), R"([[["a", 1]], null, [["b", null], ["c", 2]], []])",
      list_of(struct_of({{"key", kStr}, {"value", kF64}})),
      R"([[{"key": "a", "value": 1}], null, [{"key": "b", "value": null}, {"key": "c", "value": 2}], []])");
  expect_adapts(arrow::list(arrow::list(arrow::large_utf8())), R"([[["a"], null], [[]], null, [["b", "c"]]])",
                list_of(list_of(kStr)), R"([[["a"], null], [[]], null, [["b", "c"]]])");
}

TEST(Adapt, StructsGetTheFieldsTheyLackAndStayNullWhereTheyWere) {
  const TypePtr from = arrow::struct_(
      {field("b", arrow::int32()), field("a", arrow::large_utf8()), field("gone", arrow::boolean())});
  expect_adapts(from,
                R"([{"b": 1, "a": "x"}, null, {"b": null, "a": "y"}, {"b": 4, "a": null, "gone": true}])",
                struct_of({{"a", kStr}, {"new", list_of(kI64)}, {"newer", list_of(kStr)}, {"b", kF64}}),
                R"([{"a": "x", "new": null, "b": 1}, null, {"a": "y"}, {"b": 4}])");
  expect_adapts(arrow::list(arrow::struct_({field("x", arrow::struct_({field("y", arrow::int16())}))})),
                R"([[{"x": {"y": 1}}, {"x": null}], null, [], [null, {"x": {"y": null}}]])",
                list_of(struct_of({{"x", struct_of({{"z", kStr}, {"y", kI64}})}})),
                R"([[{"x": {"y": 1}}, {"x": null}], null, [], [null, {"x": {"y": null}}]])");
}

TEST(Adapt, EmptyIsStrippedAndWhichStructsAreNullIsKept) {
  const TypePtr empty = arrow::struct_({field("_empty", arrow::boolean())});
  expect_adapts(empty, "[{}, null, {}]", struct_of({}), "[{}, null, {}]");
  expect_adapts(arrow::list(empty), "[[{}, null], null, [], [{}]]", list_of(struct_of({})),
                "[[{}, null], null, [], [{}]]");
  expect_adapts(empty, "[{}, null, {}]", struct_of({{"a", kI64}}), R"([{"a": null}, null, {"a": null}])");
}

TEST(Adapt, ListElementsThatNobodyKnewTakeAnyType) {
  const TypePtr empty = arrow::struct_({field("_empty", arrow::boolean())});
  for (const Type& element : {kNull, kStr, kI64, list_of(kF64)})
    expect_adapts(arrow::list(empty), "[[], [null, null], null]", list_of(element),
                  "[[], [null, null], null]");
  expect_refused(arrow::list(empty), "[[{}]]", list_of(kStr), "c[]");
}

TEST(Adapt, NullsTakeAnyType) {
  for (const Type& type :
       {kNull, kBool, kI64, kF64, kStr, list_of(kI64), struct_of({}), struct_of({{"a", kI64}})}) {
    expect_adapts(arrow::null(), "[null, null]", type, "[null, null]");
  }
  expect_adapts(arrow::struct_({field("a", arrow::null())}), R"([{"a": null}, null])",
                struct_of({{"a", list_of(kStr)}}), R"([{"a": null}, null])");
  expect_adapts(arrow::list(arrow::null()), "[[null], [], null]", list_of(kI64), "[[null], [], null]");
}

TEST(Adapt, OtherTypesComeInTheirOneForm) {
  const auto as_stored = [](const TypePtr& type) { return from_arrow(*type, "c"); };
  expect_adapts(arrow::timestamp(arrow::TimeUnit::SECOND), "[1, null]",
                as_stored(arrow::timestamp(arrow::TimeUnit::MILLI)), "[1000, null]");
  expect_adapts(arrow::date64(), "[86400000, null]", as_stored(arrow::date32()), "[1, null]");
  expect_adapts(arrow::large_binary(), R"(["x", null])", as_stored(arrow::binary()), R"(["x", null])");
  expect_adapts(arrow::decimal32(5, 2), R"(["1.50", null])", as_stored(arrow::decimal128(5, 2)),
                R"(["1.50", null])");
  expect_refused(arrow::timestamp(arrow::TimeUnit::MICRO), "[1]",
                 as_stored(arrow::timestamp(arrow::TimeUnit::MILLI)));
  expect_refused(arrow::date32(), "[1]", kI64);
}

TEST(Adapt, NonNullableFieldsBecomeNullable) {
  const TypePtr from = arrow::struct_({field("a", arrow::int64(), false)});
  expect_adapts(from, R"([{"a": 1}])", struct_of({{"a", kI64}}), R"([{"a": 1}])");
}

TEST(Adapt, WhatDoesNotMeetIsDamage) {
  expect_refused(arrow::utf8(), R"(["1"])", kI64);
  expect_refused(arrow::int64(), "[1]", kStr);
  expect_refused(arrow::int64(), "[1]", kNull);
  expect_refused(arrow::int64(), "[1]", kBool);
  expect_refused(arrow::float64(), "[1]", kI64);
  expect_refused(arrow::boolean(), "[true]", kF64);
  expect_refused(arrow::int64(), "[1]", list_of(kI64));
  expect_refused(arrow::list(arrow::int64()), "[[1]]", struct_of({}));
  expect_refused(arrow::list(arrow::int64()), "[[1]]", kI64);
  expect_refused(arrow::month_interval(), "[1]", kI64);
  expect_refused(arrow::list(arrow::struct_({field("x", arrow::utf8())})), R"([[{"x": "a"}]])",
                 list_of(struct_of({{"x", kI64}})), "c[].x");
  expect_refused(arrow::struct_({field("x", arrow::int64()), field("x", arrow::int64())}), "[[1, 2]]",
                 struct_of({{"x", kI64}}));
}

}  // namespace
}  // namespace crv::io
