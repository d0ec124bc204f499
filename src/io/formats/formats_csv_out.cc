// CSV, out. Numbers are written so that they read back as they were: a float by the shortest digits, with its
// sign where it is -0.0.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/cast.h>

#include "crv/io/json_rows.h"
#include "io/arrow/text_array.h"
#include "io/formats/file_formats.h"

namespace crv::io {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr std::size_t kFlushBytes = std::size_t{1} << 20;

void put_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  out += '"';
}

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  return std::isinf(value) ? (value > 0 ? "inf" : "-inf") : format_double(value);
}

// Whether a cell is JSON: of structs and lists, and of what holds nothing at all.
bool is_json(const arrow::DataType& type) {
  return type.num_fields() > 0 || type.id() == arrow::Type::STRUCT || type.id() == arrow::Type::NA;
}

bool holds_bytes(arrow::Type::type id) {
  return arrow::is_binary_like(id) || arrow::is_fixed_size_binary(id) || id == arrow::Type::BINARY_VIEW ||
         arrow::is_large_binary_like(id);
}

// One column of a batch, as cells.
class Cells {
 public:
  explicit Cells(ArrayPtr column) : column_(std::move(column)) {
    const auto id = column_->type_id();
    is_text_ = with_text(*column_, [](const auto&) {});
    as_json_ = is_json(*column_->type()) || (!is_text_ && holds_bytes(id) && !arrow::is_decimal(id));
    if (!is_text_ && !as_json_ && id != arrow::Type::DOUBLE) {
      ensure_compute();
      column_ = check_write(arrow::compute::Cast(*column_, arrow::utf8()));  // unquoted, as Arrow writes it
    }
  }

  void put(std::int64_t row, std::string& out) const {
    if (column_->IsNull(row)) return;
    if (column_->type_id() == arrow::Type::DOUBLE) {
      out += number_text(static_cast<const arrow::DoubleArray&>(*column_).Value(row));
    } else if (as_json_) {
      const Json cell = cell_to_json(*column_, row);
      const auto* text = cell.get_if<std::string>();
      put_quoted(text != nullptr ? *text : write_json(cell), out);
    } else {
      with_text(*column_, [&](const auto& texts) { put_text(texts.GetView(row), out); });
    }
  }

 private:
  void put_text(std::string_view text, std::string& out) const {
    if (is_text_)
      put_quoted(text, out);
    else
      out += text;
  }

  ArrayPtr column_;
  bool is_text_ = false, as_json_ = false;
};

class CsvWriter : public BatchWriter {
 public:
  CsvWriter(std::shared_ptr<Output> output, const arrow::Schema& schema) : output_(std::move(output)) {
    for (int i = 0; i < schema.num_fields(); ++i) {
      text_ += i == 0 ? "" : ",";
      put_quoted(schema.field(i)->name(), text_);
    }
    text_ += '\n';
  }

  void write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    std::vector<Cells> columns;
    for (const auto& column : batch->columns()) columns.emplace_back(column);
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        text_ += i == 0 ? "" : ",";
        columns[i].put(row, text_);
      }
      text_ += '\n';
      if (text_.size() >= kFlushBytes) flush();
    }
    flush();
  }
  void finish() override {
    flush();
    output_->finish();
  }

 private:
  void flush() {
    check_write(output_->Write(text_.data(), static_cast<std::int64_t>(text_.size())));
    text_.clear();
  }

  std::shared_ptr<Output> output_;
  std::string text_;  // not yet written
};

}  // namespace

std::unique_ptr<BatchWriter> write_csv(std::shared_ptr<Output> output,
                                       const std::shared_ptr<arrow::Schema>& schema) {
  return std::make_unique<CsvWriter>(std::move(output), *schema);
}

}  // namespace crv::io
