// A table for people: aligned, a header over it, long cells cut. Written only.
#include <arrow/api.h>

#include "crv/io/json_rows.h"
#include "io/formats/file_formats.h"
#include "io/formats/text_table.h"

namespace crv::io {
namespace {

// widths are those of the first of these; later rows may only widen them
constexpr std::int64_t kRowsAtOnce = 1000;
constexpr std::size_t kCellWidth = 48;

bool is_number(const arrow::DataType& type) {
  return arrow::is_numeric(type.id());
}

std::vector<TextTable::Column> columns_of(const arrow::Schema& schema) {
  std::vector<TextTable::Column> columns;
  for (const auto& field : schema.fields()) {
    columns.push_back({printable(field->name(), kCellWidth), is_number(*field->type())});
  }
  return columns;
}

std::string text_of(const Json& cell) {
  if (cell.is_null()) {
    return "";
  }
  const auto* text = cell.get_if<std::string>();
  return printable(text != nullptr ? *text : write_json(cell), kCellWidth);
}

class TextTableWriter : public BatchWriter {
 public:
  TextTableWriter(std::shared_ptr<Output> output, const arrow::Schema& schema)
      : output_(std::move(output)), table_(columns_of(schema)) {}

  void write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      std::vector<std::string> cells;
      for (const auto& column : batch->columns()) {
        cells.push_back(text_of(cell_to_json(*column, row)));
      }
      table_.add(std::move(cells));
      if (++rows_ % kRowsAtOnce == 0) {
        put(table_.take());
      }
    }
  }
  void finish() override {
    put(table_.take());
    output_->finish();
  }

 private:
  void put(const std::string& text) {
    check_write(output_->Write(text.data(), static_cast<std::int64_t>(text.size())));
  }

  std::shared_ptr<Output> output_;
  TextTable table_;
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<BatchWriter> write_text_table(std::shared_ptr<Output> output,
                                              const std::shared_ptr<arrow::Schema>& schema) {
  return std::make_unique<TextTableWriter>(std::move(output), *schema);
}

}  // namespace crv::io
