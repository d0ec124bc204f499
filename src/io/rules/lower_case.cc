#include "io/rules/lower_case.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/table.h>

#include "io/arrow/arrow_types.h"
#include "io/arrow/text_array.h"

namespace crv::io {

namespace {

// Lower case has as many bytes, so offsets and validity stay.
std::shared_ptr<arrow::Array> lower_case(const std::shared_ptr<arrow::Array>& texts) {
  std::shared_ptr<arrow::Array> plain = without_views(texts);
  std::shared_ptr<arrow::ArrayData> data = plain->data()->Copy();
  const std::shared_ptr<arrow::Buffer>& bytes = data->buffers[2];
  if (!bytes) return plain;
  std::shared_ptr<arrow::Buffer> lower = check(arrow::AllocateBuffer(bytes->size()), ErrorCode::wrong_type);
  for (std::int64_t i = 0; i < bytes->size(); ++i) {
    const std::uint8_t c = bytes->data()[i];
    lower->mutable_data()[i] = c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c - 'A' + 'a') : c;
  }
  data->buffers[2] = std::move(lower);
  return arrow::MakeArray(data);
}

}  // namespace

std::shared_ptr<arrow::Table> with_lower_case(const std::shared_ptr<arrow::Table>& table, int column) {
  arrow::ArrayVector chunks;
  for (const auto& chunk : table->column(column)->chunks()) chunks.push_back(lower_case(chunk));
  const auto values = std::make_shared<arrow::ChunkedArray>(std::move(chunks));
  const auto field = arrow::field(table->schema()->field(column)->name(), values->type());
  return check(table->SetColumn(column, field, values), ErrorCode::wrong_type);
}

}  // namespace crv::io
