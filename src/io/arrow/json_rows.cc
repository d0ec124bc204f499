// cell_to_json is long: it is one table of Arrow types, a line or two each.
#include "crv/io/json_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/util/base64.h>
#include <arrow/util/float16.h>

#include "core/utf8.h"
#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/json_column.h"
#include "io/schema/types.h"

namespace crv::io {

namespace {

template <class T>
T value_at(const arrow::Array& array, std::int64_t row) {
  return array.data()->GetValues<T>(1)[row];
}

Json unsigned_to_json(std::uint64_t value) {
  if (value > INT64_MAX) return BigInt{std::to_string(value)};
  return static_cast<std::int64_t>(value);
}

template <class Array>
Json text_at(const arrow::Array& array, std::int64_t row) {
  return as_utf8(static_cast<const Array&>(array).GetView(row));
}

template <class Array>
Json binary_at(const arrow::Array& array, std::int64_t row) {
  return arrow::util::base64_encode(static_cast<const Array&>(array).GetView(row));
}

Json struct_at(const arrow::StructArray& array, std::int64_t row) {
  JsonObject object;
  const arrow::FieldVector& fields = array.type()->fields();
  if (fields.size() == 1 && fields[0]->name() == kEmptyField) return object;
  for (int i = 0; i < array.num_fields(); ++i) {
    object.push_back(as_utf8(fields[static_cast<std::size_t>(i)]->name()),
                     cell_to_json(*array.field(i), row));
  }
  return object;
}

template <class List>
Json list_at(const arrow::Array& array, std::int64_t row) {
  const auto& list = static_cast<const List&>(array);
  JsonArray elements;
  const std::int64_t begin = list.value_offset(row);
  const std::int64_t end = begin + list.value_length(row);
  elements.reserve(static_cast<std::size_t>(end - begin));
  for (std::int64_t i = begin; i < end; ++i) elements.push_back(cell_to_json(*list.values(), i));
  return elements;
}

// What Arrow itself writes for a person.
std::string arrow_text(const arrow::Array& array, std::int64_t row) {
  return check(array.GetScalar(row), ErrorCode::bad_argument)->ToString();
}

// Dates, times and moments that the calendar does not have are the integers that they are stored as.
Json number_at(const arrow::Array& array, std::int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      return std::int64_t{value_at<std::int32_t>(array, row)};
    default:
      return value_at<std::int64_t>(array, row);
  }
}

Json moment_at(const arrow::Array& array, std::int64_t row) {
  std::string text = arrow_text(array, row);  // "2025-09-20 10:15:00"
  if (text.starts_with("<value out of range")) return number_at(array, row);
  if (const auto space = text.find(' '); space != std::string::npos) text[space] = 'T';
  return text;
}

}  // namespace

// Longer than a function should be: one case for each type of Arrow, and nothing else.
Json cell_to_json(const arrow::Array& column, std::int64_t row) {
  if (column.IsNull(row)) return nullptr;
  switch (column.type_id()) {
    case arrow::Type::NA:
      return nullptr;
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(column).Value(row);
    case arrow::Type::INT8:
      return std::int64_t{value_at<std::int8_t>(column, row)};
    case arrow::Type::INT16:
      return std::int64_t{value_at<std::int16_t>(column, row)};
    case arrow::Type::INT32:
      return std::int64_t{value_at<std::int32_t>(column, row)};
    case arrow::Type::INT64:
    case arrow::Type::DURATION:
      return value_at<std::int64_t>(column, row);
    case arrow::Type::UINT8:
      return std::int64_t{value_at<std::uint8_t>(column, row)};
    case arrow::Type::UINT16:
      return std::int64_t{value_at<std::uint16_t>(column, row)};
    case arrow::Type::UINT32:
      return std::int64_t{value_at<std::uint32_t>(column, row)};
    case arrow::Type::UINT64:
      return unsigned_to_json(value_at<std::uint64_t>(column, row));
    case arrow::Type::HALF_FLOAT:
      return double{arrow::util::Float16::FromBits(value_at<std::uint16_t>(column, row)).ToFloat()};
    case arrow::Type::FLOAT:
      return double{value_at<float>(column, row)};
    case arrow::Type::DOUBLE:
      return value_at<double>(column, row);
    case arrow::Type::STRING:
      return text_at<arrow::StringArray>(column, row);
    case arrow::Type::LARGE_STRING:
      return text_at<arrow::LargeStringArray>(column, row);
    case arrow::Type::STRING_VIEW:
      return text_at<arrow::StringViewArray>(column, row);
    case arrow::Type::BINARY:
      return binary_at<arrow::BinaryArray>(column, row);
    case arrow::Type::LARGE_BINARY:
      return binary_at<arrow::LargeBinaryArray>(column, row);
    case arrow::Type::BINARY_VIEW:
      return binary_at<arrow::BinaryViewArray>(column, row);
    case arrow::Type::FIXED_SIZE_BINARY:
      return binary_at<arrow::FixedSizeBinaryArray>(column, row);
    case arrow::Type::STRUCT:
      return struct_at(static_cast<const arrow::StructArray&>(column), row);
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return list_at<arrow::ListArray>(column, row);
    case arrow::Type::LARGE_LIST:
      return list_at<arrow::LargeListArray>(column, row);
    case arrow::Type::FIXED_SIZE_LIST:
      return list_at<arrow::FixedSizeListArray>(column, row);
    case arrow::Type::LIST_VIEW:
      return list_at<arrow::ListViewArray>(column, row);
    case arrow::Type::LARGE_LIST_VIEW:
      return list_at<arrow::LargeListViewArray>(column, row);
    case arrow::Type::DICTIONARY: {
      const auto& encoded = static_cast<const arrow::DictionaryArray&>(column);
      return cell_to_json(*encoded.dictionary(), encoded.GetValueIndex(row));
    }
    case arrow::Type::EXTENSION:
      return cell_to_json(*static_cast<const arrow::ExtensionArray&>(column).storage(), row);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      return moment_at(column, row);
    default:
      return arrow_text(column, row);
  }
}

std::vector<JsonObject> rows_to_json(const arrow::RecordBatch& batch, std::int64_t begin, std::int64_t end) {
  begin = std::max<std::int64_t>(begin, 0);
  end = std::min(end, batch.num_rows());
  std::vector<JsonObject> rows(static_cast<std::size_t>(std::max<std::int64_t>(end - begin, 0)));
  for (int c = 0; c < batch.num_columns(); ++c) {
    const std::string& name = batch.schema()->field(c)->name();
    const arrow::Array& column = *batch.column(c);
    for (std::int64_t row = begin; row < end; ++row)
      rows[static_cast<std::size_t>(row - begin)].push_back(name, cell_to_json(column, row));
  }
  return rows;
}

std::vector<JsonObject> rows_to_json(const arrow::Table& table) {
  std::vector<JsonObject> rows;
  for (const auto& batch : check(arrow::TableBatchReader(table).ToRecordBatches(), ErrorCode::bad_argument)) {
    auto some = rows_to_json(*batch);
    std::move(some.begin(), some.end(), std::back_inserter(rows));
  }
  return rows;
}

}  // namespace crv::io
