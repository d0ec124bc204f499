#include "crv/io/json_rows.h"

#include <string>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <gtest/gtest.h>

#include "io/support/arrow_json.h"

namespace crv::io {
namespace {

using arrow::field;

std::string cells(const std::shared_ptr<arrow::Array>& array) {
  JsonArray all;
  for (std::int64_t i = 0; i < array->length(); ++i) all.push_back(cell_to_json(*array, i));
  return write_json(all);
}
std::string cells(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return cells(array_of(type, json));
}

TEST(JsonRows, NumbersKeepTheirKind) {
  for (const auto& type : {arrow::int8(), arrow::int16(), arrow::int32(), arrow::int64()}) {
    EXPECT_EQ(cells(type, "[1, -2, null]"), "[1,-2,null]");
  }
  for (const auto& type : {arrow::uint8(), arrow::uint16(), arrow::uint32(), arrow::uint64()}) {
    EXPECT_EQ(cells(type, "[1, null]"), "[1,null]");
  }
  EXPECT_EQ(cells(arrow::uint64(), "[18446744073709551615]"), "[18446744073709551615]");
  EXPECT_EQ(cells(arrow::int64(), "[-9223372036854775808]"), "[-9223372036854775808]");
  for (const auto& type : {arrow::float16(), arrow::float32(), arrow::float64()}) {
    EXPECT_EQ(cells(type, "[1, 0.5, null]"), "[1.0,0.5,null]");
  }
  EXPECT_EQ(cells(arrow::float64(), "[0.1, NaN]"), "[0.1,NaN]");
  EXPECT_EQ(cells(arrow::boolean(), "[true, false, null]"), "[true,false,null]");
  EXPECT_EQ(cells(arrow::null(), "[null]"), "[null]");
}

TEST(JsonRows, TextOfEveryType) {
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view()}) {
    EXPECT_EQ(cells(type, R"(["ä", "a text longer than twelve bytes", null])"),
              R"(["ä","a text longer than twelve bytes",null])");
  }
  const auto encoded = arrow::DictionaryArray::FromArrays(
      arrow::dictionary(arrow::uint32(), arrow::utf8_view()), array_of(arrow::uint32(), "[1, null, 0]"),
      array_of(arrow::utf8_view(), R"(["a", null])"));
  EXPECT_EQ(cells(encoded.ValueOrDie()), R"([null,null,"a"])");
}

TEST(JsonRows, NestedValues) {
  const auto type = arrow::struct_({field("a", arrow::list(arrow::int8())), field("b", arrow::struct_({}))});
  const auto array = array_of(type, R"([{"a": [1, null], "b": {}}, null, {"a": [], "b": null}])");
  EXPECT_EQ(cells(array), R"([{"a":[1,null],"b":{}},null,{"a":[],"b":null}])");
  EXPECT_EQ(cells(array->Slice(2, 1)), R"([{"a":[],"b":null}])");
  for (const auto& list :
       {arrow::list(arrow::int8()), arrow::large_list(arrow::int8()), arrow::list_view(arrow::int8()),
        arrow::large_list_view(arrow::int8()), arrow::fixed_size_list(arrow::int8(), 2)}) {
    EXPECT_EQ(cells(array_of(list, "[[9, 9], [1, null], null, [2, 3]]")->Slice(1)), "[[1,null],null,[2,3]]");
  }
  EXPECT_EQ(cells(arrow::map(arrow::utf8(), arrow::int8()), R"([[["k", 1]]])"),
            R"([[{"key":"k","value":1}]])");
}

TEST(JsonRows, AnEmptyStructIsAnEmptyObject) {
  EXPECT_EQ(cells(arrow::struct_({field("_empty", arrow::boolean())}), R"([{"_empty": null}, null])"),
            "[{},null]");
}

TEST(JsonRows, TimesAreIsoText) {
  EXPECT_EQ(cells(arrow::date32(), "[20351]"), R"(["2025-09-20"])");
  EXPECT_EQ(cells(arrow::date64(), "[1758326400000]"), R"(["2025-09-20"])");
  EXPECT_EQ(cells(arrow::timestamp(arrow::TimeUnit::SECOND), "[1758326400]"), R"(["2025-09-20T00:00:00"])");
  EXPECT_EQ(cells(arrow::timestamp(arrow::TimeUnit::MICRO), "[1758326400000250]"),
            R"(["2025-09-20T00:00:00.000250"])");
  EXPECT_EQ(cells(arrow::timestamp(arrow::TimeUnit::MILLI, "Europe/Berlin"), "[1758326400001]"),
            R"(["2025-09-20T00:00:00.001Z"])");
  EXPECT_EQ(cells(arrow::time32(arrow::TimeUnit::SECOND), "[36900]"), R"(["10:15:00"])");
  EXPECT_EQ(cells(arrow::time64(arrow::TimeUnit::MICRO), "[36900000250]"), R"(["10:15:00.000250"])");
  EXPECT_EQ(cells(arrow::duration(arrow::TimeUnit::MICRO), "[5]"), "[5]");
}

TEST(JsonRows, DecimalsAndBinary) {
  EXPECT_EQ(cells(arrow::decimal128(5, 2), R"(["1.50", "-0.01"])"), R"(["1.50","-0.01"])");
  for (const auto& type :
       {arrow::binary(), arrow::large_binary(), arrow::binary_view(), arrow::fixed_size_binary(2)}) {
    EXPECT_EQ(cells(type, R"(["ab"])"), R"(["YWI="])");
  }
}

TEST(JsonRows, ARangeOfRowsIsClipped) {
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({field("a", arrow::int8()), field("b", arrow::utf8())}), 3,
      {array_of(arrow::int8(), "[1, 2, 3]"), array_of(arrow::utf8(), R"(["x", null, "z"])")});
  EXPECT_EQ(rows_to_json(*batch).size(), 3U);
  const auto some = rows_to_json(*batch, 1, 99);
  ASSERT_EQ(some.size(), 2U);
  EXPECT_EQ(write_json(some[0]), R"({"a":2,"b":null})");
  EXPECT_TRUE(rows_to_json(*batch, 2, 1).empty());
  EXPECT_TRUE(rows_to_json(*batch, 5, 9).empty());
}

}  // namespace
}  // namespace crv::io
