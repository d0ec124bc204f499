#include "output/table_writer.h"

#include <utility>
#include <vector>

#include <arrow/api.h>

#include "crv/core/json.h"
#include "crv/io/json_rows.h"
#include "output/text_table.h"

namespace crv::cli {
namespace {

// widths are those of the first of these; later rows may only widen them
constexpr std::int64_t kRowsAtOnce = 1000;
constexpr std::size_t kCellWidth = 48;

bool is_number(const arrow::DataType& type) {
  return arrow::is_numeric(type.id());
}

std::vector<TextTable::Column> columns_of(const arrow::Schema& schema) {
  std::vector<TextTable::Column> columns;
  for (const auto& field : schema.fields())
    columns.push_back({cell_text(field->name(), kCellWidth), is_number(*field->type())});
  return columns;
}

std::string text_of(const Json& cell) {
  if (cell.is_null()) return "";
  const auto* text = cell.get_if<std::string>();
  return cell_text(text != nullptr ? *text : write_json(cell), kCellWidth);
}

class TableWriter : public io::BatchWriter {
 public:
  TableWriter(std::unique_ptr<io::TextWriter> output, const arrow::Schema& schema)
      : output_(std::move(output)), table_(columns_of(schema)) {}

  void write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      std::vector<std::string> cells;
      for (const auto& column : batch->columns()) cells.push_back(text_of(io::cell_to_json(*column, row)));
      table_.add(std::move(cells));
      if (++rows_ % kRowsAtOnce == 0) output_->write(table_.take());
    }
  }
  void finish() override {
    output_->write(table_.take());
    output_->finish();
  }

 private:
  std::unique_ptr<io::TextWriter> output_;
  TextTable table_;
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<io::BatchWriter> open_table(const std::string& path, const arrow::Schema& schema) {
  return std::make_unique<TableWriter>(io::open_text(path), schema);
}

}  // namespace crv::cli
