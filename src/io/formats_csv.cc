// CSV, in and out.
#include <arrow/api.h>
#include <arrow/csv/options.h>
#include <arrow/csv/parser.h>
#include <arrow/csv/reader.h>
#include <arrow/csv/writer.h>
#include <arrow/ipc/writer.h>

#include "crv/io/json_rows.h"
#include "io/csv_cells.h"
#include "io/file_formats.h"

namespace crv::io {
namespace {

constexpr std::size_t kHeaderBytes = std::size_t{1} << 16;
constexpr std::int32_t kBlockBytes = 1 << 24;  // the longest row that can be read

arrow::csv::ParseOptions parse_options() {
  auto options = arrow::csv::ParseOptions::Defaults();
  options.newlines_in_values = true;
  return options;
}

// Names of the columns, from the first row. Without them Arrow would guess the types of the columns.
std::vector<std::string> header_of(FdInput& input) {
  std::string_view head = input.peek(kHeaderBytes);
  if (head.starts_with("\xEF\xBB\xBF")) {
    head.remove_prefix(3);
  }
  std::vector<std::string> names;
  arrow::csv::BlockParser parser(parse_options(), -1, 0, 1);
  std::uint32_t used = 0;
  check_read(parser.Parse(head, &used), input.name());
  if (parser.num_rows() == 0) {
    check_read(parser.ParseFinal(head, &used), input.name());
  }
  if (parser.num_rows() == 0) {
    ErrorFacts facts;
    facts.path = input.name();
    facts.line = 1;
    raise(ErrorCode::read_failed, input.name() + " has no header line with the names of its columns", facts);
  }
  const auto add_name = [&](const std::uint8_t* data, std::uint32_t size,
                            auto...) {  // later Arrows tell one fact more
    names.emplace_back(reinterpret_cast<const char*>(data), size);
    return arrow::Status::OK();
  };
  check_read(parser.VisitLastRow(add_name), input.name());
  return names;
}

class CsvFrames : public FrameReader {
 public:
  CsvFrames(std::shared_ptr<FdInput> input, const core::TableDescriptor* table)
      : input_(std::move(input)), table_(table) {
    auto convert = arrow::csv::ConvertOptions::Defaults();
    for (const auto& name : header_of(*input_)) {
      convert.column_types[name] = arrow::utf8();
    }
    convert.null_values = {""};
    convert.strings_can_be_null = true;
    convert.quoted_strings_can_be_null = false;
    auto read = arrow::csv::ReadOptions::Defaults();
    read.block_size = kBlockBytes;
    read.use_threads = false;  // else a row that cannot be read is told without its number
    reader_ = check_read(arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), input_, read,
                                                           parse_options(), convert),
                         input_->name());
  }
  ~CsvFrames() override { input_->cancel(); }  // Arrow reads ahead in a thread of its own

  std::vector<Frame> next(std::int64_t max_rows) override {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (std::int64_t rows = 0; rows < max_rows;) {
      auto batch = next_batch(max_rows - rows);
      if (batch == nullptr) {
        break;
      }
      rows += batch->num_rows();
      batches.push_back(std::move(batch));
    }
    if (batches.empty()) {
      return {};
    }
    return {Frame(
        typed(*check_read(arrow::Table::FromRecordBatches(reader_->schema(), batches), input_->name())))};
  }
  std::int64_t position() const override { return reader_->bytes_read(); }
  std::int64_t size() const override { return input_->size(); }

 private:
  // Up to `max_rows` of what Arrow has read; nullptr at the end.
  std::shared_ptr<arrow::RecordBatch> next_batch(std::int64_t max_rows) {
    while (rest_ == nullptr || rest_->num_rows() == 0) {
      check_read(reader_->ReadNext(&rest_), input_->name());
      if (rest_ == nullptr) {
        return nullptr;
      }
    }
    auto batch = rest_->Slice(0, max_rows);
    rest_ = rest_->Slice(batch->num_rows());
    return batch;
  }

  std::shared_ptr<arrow::Table> typed(const arrow::Table& text) const {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
    for (int i = 0; i < text.num_columns(); ++i) {
      const std::string& name = text.field(i)->name();
      columns.push_back(
          cells_to_column(text.column(i), table_ == nullptr ? nullptr : table_->find(name), name));
      fields.push_back(arrow::field(name, columns.back()->type()));
    }
    return arrow::Table::Make(arrow::schema(fields), columns, text.num_rows());
  }

  std::shared_ptr<FdInput> input_;
  const core::TableDescriptor* table_;
  std::shared_ptr<arrow::csv::StreamingReader> reader_;
  std::shared_ptr<arrow::RecordBatch> rest_;
};

bool is_json_cell(const arrow::DataType& type) {
  return type.num_fields() > 0 || type.id() == arrow::Type::STRUCT || type.id() == arrow::Type::NA;
}

class CsvWriter : public BatchWriter {
 public:
  CsvWriter(std::shared_ptr<Output> output, const std::shared_ptr<arrow::Schema>& schema)
      : output_(std::move(output)) {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (int i = 0; i < schema->num_fields(); ++i) {
      const bool nested = is_json_cell(*schema->field(i)->type());
      fields.push_back(nested ? arrow::field(schema->field(i)->name(), arrow::utf8()) : schema->field(i));
      if (nested) {
        nested_.push_back(i);
      }
    }
    schema_ = arrow::schema(std::move(fields));
    writer_ = check_write(arrow::csv::MakeCSVWriter(output_, schema_));
  }

  void write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    check_write(writer_->WriteRecordBatch(*with_json_cells(*batch)));
  }
  void finish() override {
    check_write(writer_->Close());
    output_->finish();
  }

 private:
  std::shared_ptr<arrow::RecordBatch> with_json_cells(const arrow::RecordBatch& batch) const {
    auto columns = batch.columns();
    for (const int i : nested_) {
      auto& column = columns[static_cast<std::size_t>(i)];
      column = json_text(*column);
    }
    return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
  }

  static std::shared_ptr<arrow::Array> json_text(const arrow::Array& column) {
    arrow::StringBuilder builder;
    for (std::int64_t row = 0; row < column.length(); ++row) {
      const Json cell = cell_to_json(column, row);
      check_write(cell.is_null() ? builder.AppendNull() : builder.Append(write_json(cell)));
    }
    return check_write(builder.Finish());
  }

  std::shared_ptr<Output> output_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> nested_;  // columns whose cells are JSON
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

}  // namespace

std::unique_ptr<FrameReader> read_csv(std::shared_ptr<FdInput> input, const core::TableDescriptor* table) {
  return std::make_unique<CsvFrames>(std::move(input), table);
}

std::unique_ptr<BatchWriter> write_csv(std::shared_ptr<Output> output,
                                       const std::shared_ptr<arrow::Schema>& schema) {
  return std::make_unique<CsvWriter>(std::move(output), schema);
}

}  // namespace crv::io
