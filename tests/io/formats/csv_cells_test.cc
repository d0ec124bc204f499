#include "io/formats/csv_cells.h"

#include <cmath>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "io/support/arrow_json.h"

namespace crv::io {
namespace {

std::shared_ptr<arrow::ChunkedArray> text(const std::string& json) {
  return std::make_shared<arrow::ChunkedArray>(array_of(arrow::utf8(), json));
}

void expect_column(const std::string& cells, const core::ColumnDescriptor* column,
                   const std::shared_ptr<arrow::DataType>& type, const std::string& expected) {
  SCOPED_TRACE(cells);
  const auto found = cells_to_column(text(cells), column, "c");
  ASSERT_EQ(found->num_chunks(), 1);
  const auto wanted = array_of(type, expected);
  EXPECT_TRUE(found->chunk(0)->ValidateFull().ok());
  EXPECT_TRUE(found->type()->Equals(*wanted->type())) << found->type()->ToString();
  EXPECT_TRUE(found->chunk(0)->Equals(*wanted, arrow::EqualOptions().nans_equal(true))) << found->ToString();
}

TEST(CsvCells, UnknownColumnsBecomeIntegersElseFloatsElseText) {
  expect_column(R"(["1", null, "-7", "9223372036854775807"])", nullptr, arrow::int64(),
                "[1, null, -7, 9223372036854775807]");
  expect_column(R"(["1", "2.5", "-1e3", ""])", nullptr, arrow::float64(), "[1, 2.5, -1000, null]");
  expect_column(R"(["inf", "-inf", "0"])", nullptr, arrow::float64(), "[Inf, -Inf, 0]");
  expect_column(R"(["1", "x"])", nullptr, arrow::utf8(), R"(["1", "x"])");
  expect_column("[null, null]", nullptr, arrow::null(), "[null, null]");
  expect_column(R"(["", null])", nullptr, arrow::utf8(), R"(["", null])");
}

TEST(CsvCells, ADateIsText) {
  expect_column(R"(["2025-09-20"])", nullptr, arrow::utf8(), R"(["2025-09-20"])");
}

TEST(CsvCells, NoDigitIsLostToAGuess) {
  for (const auto* cells :
       {R"(["007", "1"])", R"(["+7"])", R"(["00.5"])", R"(["0x10"])", R"([" 1"])", R"(["1e999"])", R"(["-"])",
        R"(["."])", R"(["--1"])", R"(["9223372036854775808"])", R"(["9007199254740993", "0.5"])",
        R"(["-9007199254740993", "0.5"])"}) {
    expect_column(cells, nullptr, arrow::utf8(), cells);
  }
}

TEST(CsvCells, NumbersOfTheTableAreLeftToTheStrictCast) {
  const core::ColumnDescriptor i64{"c", core::plain_type(core::Type::Kind::i64), true, ""};
  const core::ColumnDescriptor f64{"c", core::plain_type(core::Type::Kind::f64), false, ""};
  expect_column(R"(["1", "", "x"])", &i64, arrow::utf8(), R"(["1", null, "x"])");
  expect_column(R"(["1", "", "x"])", &f64, arrow::utf8(), R"(["1", null, "x"])");
  expect_column(R"(["1", "", "-inf"])", &f64, arrow::float64(), "[1, null, -Inf]");
  const auto nan = cells_to_column(text(R"(["nan"])"), &f64, "c");
  EXPECT_TRUE(std::isnan(static_cast<const arrow::DoubleArray&>(*nan->chunk(0)).Value(0)));
}

TEST(CsvCells, NumbersOfTheTableFollowTheRuleOfFrames) {
  const core::ColumnDescriptor i64{"c", core::plain_type(core::Type::Kind::i64), true, ""};
  const core::ColumnDescriptor f64{"c", core::plain_type(core::Type::Kind::f64), false, ""};
  expect_column(R"(["2.0", "1e3", "-7", "9223372036854775807", "9007199254740993.0", "0.5e1"])", &i64,
                arrow::int64(), "[2, 1000, -7, 9223372036854775807, 9007199254740993, 5]");
  // What is none stays for the strict cast, and makes nothing of the others.
  expect_column(R"(["2.0", "1.5", "NaN", "1e-1", "+7", "9223372036854775808.0"])", &i64, arrow::utf8(),
                R"(["2", "1.5", "NaN", "1e-1", "+7", "9223372036854775808.0"])");
  expect_column(R"(["Infinity", "-inf", "+5"])", &f64, arrow::utf8(), R"(["Infinity", "-inf", "+5"])");
  for (const auto* word : {"NaN", "nan", "NAN"}) {
    const auto found = cells_to_column(text(std::string("[\"") + word + "\", \"1\"]"), &f64, "c");
    EXPECT_TRUE(std::isnan(static_cast<const arrow::DoubleArray&>(*found->chunk(0)).Value(0))) << word;
  }
  expect_column(R"(["Infinity", "-Infinity", "INF", "-inf", "1"])", &f64, arrow::float64(),
                "[Inf, -Inf, Inf, -Inf, 1]");
  const auto zero = cells_to_column(text(R"(["-0", "-0.0"])"), &f64, "c");
  for (const int i : {0, 1})
    EXPECT_TRUE(std::signbit(static_cast<const arrow::DoubleArray&>(*zero->chunk(0)).Value(i)));
}

TEST(CsvCells, AGuessKeepsTheSignOfZeroAndLabelsThatLookLikeWords) {
  const auto zero = cells_to_column(text(R"(["-0", "1"])"), nullptr, "c");
  ASSERT_EQ(zero->type()->id(), arrow::Type::DOUBLE);
  EXPECT_TRUE(std::signbit(static_cast<const arrow::DoubleArray&>(*zero->chunk(0)).Value(0)));
  expect_column(R"(["Infinity", "-Infinity", "NaN"])", nullptr, arrow::float64(), "[Inf, -Inf, NaN]");
  for (const auto* cells : {R"(["NAN", "1"])", R"(["INF"])", R"(["-nan"])", R"(["Nan"])"})
    expect_column(cells, nullptr, arrow::utf8(), cells);
}

TEST(CsvCells, TextOfTheTableStaysAsItIs) {
  const core::ColumnDescriptor str{"c", core::plain_type(core::Type::Kind::str), false, ""};
  expect_column(R"(["1", "", null])", &str, arrow::utf8(), R"(["1", "", null])");
}

TEST(CsvCells, StructsAndListsAreJson) {
  const core::ColumnDescriptor structure{"c", core::open_struct(), true, ""};
  const core::ColumnDescriptor list{"c", core::list_of(core::open_struct()), true, ""};
  const auto a = arrow::struct_({arrow::field("a", arrow::int64())});
  expect_column(R"(["{\"a\": 1}", null, "", "{}"])", &structure, a, R"([{"a": 1}, null, null, {"a": null}])");
  const auto found = cells_to_column(text(R"(["[]", "[{\"a\": 1}, {\"a\": 2}]"])"), &list, "c");
  EXPECT_EQ(found->type()->id(), arrow::Type::LIST);
  EXPECT_TRUE(found->type()->field(0)->type()->Equals(a)) << found->type()->ToString();
}

TEST(CsvCells, AKeyThatStandsTwiceInACellIsRefused) {
  const core::ColumnDescriptor structure{"c", core::open_struct(), true, ""};
  try {
    cells_to_column(text(R"(["{}", "{\"a\": [{\"b\": 1, \"b\": 2}]}"])"), &structure, "c");
    FAIL();
  } catch (const IoSchemaError& error) {
    EXPECT_EQ(error.code(), ErrorCode::duplicate_column);
    EXPECT_EQ(error.facts().column, "c.a[].b");
    EXPECT_EQ(error.facts().row, 1);
  }
}

TEST(CsvCells, ACellThatIsNoJsonIsToldWithColumnRowAndValue) {
  const core::ColumnDescriptor structure{"c", core::open_struct(), true, ""};
  try {
    cells_to_column(text(R"(["{}", "{oops"])"), &structure, "c");
    FAIL();
  } catch (const SchemaError& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_json);
    EXPECT_EQ(error.facts().column, "c");
    EXPECT_EQ(error.facts().row, 1);
    EXPECT_EQ(error.facts().value, "{oops");
  }
}

}  // namespace
}  // namespace crv::io
