#include "io/arrow/arrow_types.h"

#include <cerrno>
#include <stdexcept>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <arrow/util/io_util.h>
#include <gtest/gtest.h>

namespace crv::io {
namespace {

using arrow::field;

std::string text_of(const std::shared_ptr<arrow::DataType>& type) {
  return text_of(from_arrow(*type, "c"));
}

ErrorCode code_of(const std::shared_ptr<arrow::DataType>& type, std::string* column = nullptr) {
  try {
    from_arrow(*type, "c");
  } catch (const IoSchemaError& error) {
    if (column != nullptr) *column = error.facts().column;
    return error.code();
  }
  ADD_FAILURE() << "was taken: " << type->ToString();
  return ErrorCode::bad_json;
}

TEST(ArrowTypes, EveryArrowTypeHasOneLogicalType) {
  for (const auto& type : {arrow::int8(), arrow::int16(), arrow::int32(), arrow::int64(), arrow::uint8(),
                           arrow::uint16(), arrow::uint32(), arrow::uint64()}) {
    EXPECT_EQ(text_of(type), "i64");
  }
  for (const auto& type : {arrow::float16(), arrow::float32(), arrow::float64()})
    EXPECT_EQ(text_of(type), "f64");
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(),
                           arrow::dictionary(arrow::int32(), arrow::large_utf8())}) {
    EXPECT_EQ(text_of(type), "str");
  }
  EXPECT_EQ(text_of(arrow::boolean()), "bool");
  EXPECT_EQ(text_of(arrow::null()), "null");
  for (const auto& type :
       {arrow::list(arrow::int8()), arrow::large_list(arrow::int8()), arrow::list_view(arrow::int8()),
        arrow::large_list_view(arrow::int8()), arrow::fixed_size_list(arrow::int8(), 3)}) {
    EXPECT_EQ(text_of(type), "list[i64]");
  }
  EXPECT_EQ(text_of(arrow::map(arrow::utf8(), arrow::float32())), "list[struct{key: str, value: f64}]");
  EXPECT_EQ(text_of(arrow::struct_({field("b", arrow::int8()), field("a", arrow::list(arrow::null()))})),
            "struct{b: i64, a: list[null]}");
}

TEST(ArrowTypes, TypesOfOneWayOfStoringHaveOneName) {
  for (const auto& type : {arrow::binary(), arrow::large_binary(), arrow::binary_view()}) {
    EXPECT_EQ(text_of(type), "binary");
  }
  EXPECT_EQ(text_of(arrow::fixed_size_binary(16)), "fixed_size_binary[16]");
  EXPECT_EQ(text_of(arrow::extension::uuid()), "fixed_size_binary[16]");
  EXPECT_EQ(text_of(arrow::date32()), "date32[day]");
  EXPECT_EQ(text_of(arrow::date64()), "date32[day]");
  EXPECT_EQ(text_of(arrow::time32(arrow::TimeUnit::SECOND)), "time32[ms]");
  EXPECT_EQ(text_of(arrow::time64(arrow::TimeUnit::NANO)), "time64[ns]");
  EXPECT_EQ(text_of(arrow::duration(arrow::TimeUnit::SECOND)), "duration[s]");
  EXPECT_EQ(text_of(arrow::timestamp(arrow::TimeUnit::SECOND, "UTC")), "timestamp[ms, tz=UTC]");
  EXPECT_EQ(text_of(arrow::timestamp(arrow::TimeUnit::NANO)), "timestamp[ns]");
  EXPECT_EQ(text_of(arrow::decimal32(5, 2)), "decimal128(5, 2)");
  EXPECT_EQ(text_of(arrow::decimal256(38, 0)), "decimal128(38, 0)");
  EXPECT_EQ(text_of(arrow::decimal256(60, 7)), "decimal256(60, 7)");
}

TEST(ArrowTypes, WhatIsStoredComesBackAsTheSameType) {
  for (const auto& type :
       {arrow::binary(), arrow::fixed_size_binary(16), arrow::date32(), arrow::time32(arrow::TimeUnit::MILLI),
        arrow::time64(arrow::TimeUnit::MICRO), arrow::duration(arrow::TimeUnit::MICRO),
        arrow::timestamp(arrow::TimeUnit::MICRO), arrow::timestamp(arrow::TimeUnit::NANO, "America/New_York"),
        arrow::decimal128(38, 10), arrow::decimal256(60, 7), arrow::null(), arrow::boolean(), arrow::int64(),
        arrow::float64(), arrow::utf8(),
        arrow::list(field("element", arrow::struct_({field("a", arrow::struct_({}))})))}) {
    EXPECT_TRUE(to_arrow(from_arrow(*type, "c"))->Equals(*type, true)) << type->ToString();
  }
}

TEST(ArrowTypes, StructsOfNothingButEmptyHaveNoFields) {
  const auto empty = arrow::struct_({field("_empty", arrow::boolean())});
  EXPECT_EQ(text_of(empty), "struct{}");
  EXPECT_EQ(text_of(arrow::list(arrow::struct_({field("x", empty)}))), "list[struct{x: struct{}}]");
  EXPECT_EQ(text_of(arrow::struct_({field("_empty", arrow::int64())})), "struct{_empty: i64}");
  EXPECT_EQ(text_of(arrow::struct_({field("_empty", arrow::boolean()), field("a", arrow::int64())})),
            "struct{_empty: bool, a: i64}");
}

TEST(ArrowTypes, WhatCannotBeStoredIsRefusedByItsPath) {
  std::string column;
  const auto month = arrow::month_interval();
  EXPECT_EQ(code_of(arrow::struct_({field("a", arrow::list(arrow::struct_({field("b", month)})))}), &column),
            ErrorCode::wrong_type);
  EXPECT_EQ(column, "c.a[].b");
  EXPECT_EQ(code_of(arrow::sparse_union({field("a", arrow::int64())})), ErrorCode::wrong_type);
  EXPECT_EQ(code_of(arrow::run_end_encoded(arrow::int32(), arrow::utf8())), ErrorCode::wrong_type);
  EXPECT_EQ(code_of(arrow::decimal128(5, -2)), ErrorCode::wrong_type);
  EXPECT_EQ(code_of(arrow::fixed_size_binary(0)), ErrorCode::wrong_type);
  EXPECT_EQ(code_of(arrow::struct_({field("a", arrow::int8()), field("a", arrow::int8())}), &column),
            ErrorCode::duplicate_column);
  EXPECT_EQ(column, "c.a");
  EXPECT_THROW(from_arrow(*arrow::schema({field("a", arrow::int8()), field("a", arrow::int8())})),
               IoSchemaError);
}

TEST(ArrowTypes, DepthIsLimited) {
  std::shared_ptr<arrow::DataType> type = arrow::int64();
  for (int i = 1; i < kMaxTypeDepth; ++i) type = arrow::list(type);
  EXPECT_EQ(columns_from_json(columns_to_json({{"c", from_arrow(*type, "c")}}))[0].type,
            from_arrow(*type, "c"));
  EXPECT_EQ(code_of(arrow::list(type)), ErrorCode::wrong_type);
}

TEST(ArrowTypes, UnknownNamesOfOtherTypesAreAnError) {
  for (const char* name :
       {"", "int32", "decimal128(39, 0)", "decimal128(5)", "decimal128(x, 2)", "decimal512(5, 2)",
        "timestamp", "timestamp[d]", "timestamp[us", "time32[us]", "time64[ms]", "date32", "date64[ms]",
        "fixed_size_binary[-1]", "fixed_size_binary[0]", "fixed_size_binary[99999999999]",
        "timestamp[us, tz=]", "binary[]"}) {
    const Type type = core::other_type(name);
    try {
      to_arrow(type);
      ADD_FAILURE() << "was taken: " << name;
    } catch (const IoManifestError& error) {
      EXPECT_EQ(error.code(), ErrorCode::log_damaged);
      EXPECT_EQ(error.facts().value, name);
    }
  }
}

TEST(Check, GivesTheValueOrThrowsTheCodeWithTheFacts) {
  EXPECT_EQ(check(arrow::Result<int>(7), ErrorCode::part_damaged), 7);
  EXPECT_EQ(*check(arrow::Result<std::unique_ptr<int>>(std::make_unique<int>(3)), ErrorCode::part_damaged),
            3);
  ErrorFacts facts;
  facts.path = "runs/r/part.parquet";
  facts.column = "price";
  try {
    check(arrow::Result<int>(arrow::Status::Invalid("no good")), ErrorCode::part_damaged, facts);
    FAIL();
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.code(), ErrorCode::part_damaged);
    EXPECT_EQ(error.facts().path, facts.path);
    EXPECT_EQ(error.facts().os_error, 0);
    EXPECT_STREQ(error.what(), "runs/r/part.parquet: column \"price\": no good");
  }
}

TEST(Check, KeepsTheErrnoOfTheSystem) {
  const arrow::Status status = arrow::internal::IOErrorFromErrno(EIO, "reading");
  try {
    check(status, ErrorCode::part_damaged);
    FAIL();
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.code(), ErrorCode::read_failed);
    EXPECT_EQ(error.facts().os_error, EIO);
  }
  try {
    check(arrow::internal::IOErrorFromErrno(ENOSPC, "writing"), ErrorCode::write_failed);
    FAIL();
  } catch (const IoWriteError& error) {
    EXPECT_EQ(error.facts().os_error, ENOSPC);
  }
}

TEST(Check, AnExceptionGoesThroughAStatusAsItWas) {
  ErrorFacts facts;
  facts.os_error = EDQUOT;
  const arrow::Status status =
      status_of(std::make_exception_ptr(IoWriteError(ErrorCode::write_failed, "quota", facts)));
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.ToString().find("quota"), std::string::npos);
  try {
    check(status.WithMessage("something else"), ErrorCode::part_damaged);
    FAIL();
  } catch (const IoWriteError& error) {
    EXPECT_STREQ(error.what(), "quota");
    EXPECT_EQ(error.facts().os_error, EDQUOT);
  }
  EXPECT_THROW(check(status_of(std::make_exception_ptr(std::length_error("x"))), ErrorCode::part_damaged),
               std::length_error);
  EXPECT_EQ(exception_of(arrow::Status::Invalid("x")), nullptr);
}

}  // namespace
}  // namespace crv::io
