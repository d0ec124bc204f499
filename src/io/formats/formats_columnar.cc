// Parquet and Arrow IPC, in and out.
#include <algorithm>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>

#include "io/conform/normalize.h"
#include "io/formats/file_formats.h"

namespace crv::io {
namespace {

constexpr std::int64_t kBatchRows = 65536;
constexpr std::int64_t kRowGroupRows = 131072;

// Parquet knows no struct without fields. Where one stands crv writes a child "_empty", always null, and
// whoever reads with crv gets the struct back as it was.
bool holds_empty_struct(const arrow::DataType& type) {
  const auto& fields = type.fields();
  return (type.id() == arrow::Type::STRUCT && fields.empty()) ||
         std::any_of(fields.begin(), fields.end(),
                     [](const auto& field) { return holds_empty_struct(*field->type()); });
}

bool holds_placeholder(const arrow::DataType& type) {
  const auto& fields = type.fields();
  return std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return field->name() == kEmptyField || holds_placeholder(*field->type());
  });
}

std::shared_ptr<arrow::Array> with_placeholders(const std::shared_ptr<arrow::Array>& array) {
  if (!holds_empty_struct(*array->type())) return array;
  auto data = array->data()->Copy();
  if (data->child_data.empty()) {
    const auto child = check_write(arrow::MakeArrayOfNull(arrow::boolean(), data->offset + data->length));
    data->child_data = {child->data()};
    data->type = arrow::struct_({arrow::field(kEmptyField, arrow::boolean())});
    return arrow::MakeArray(data);
  }
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < data->child_data.size(); ++i) {
    const auto child = with_placeholders(arrow::MakeArray(data->child_data[i]));
    data->child_data[i] = child->data();
    fields.push_back(data->type->field(static_cast<int>(i))->WithType(child->type()));
  }
  data->type = data->type->id() == arrow::Type::STRUCT ? arrow::struct_(fields) : arrow::list(fields.front());
  return arrow::MakeArray(data);
}

std::shared_ptr<arrow::RecordBatch> with_placeholders(const arrow::RecordBatch& batch) {
  auto columns = batch.columns();
  auto fields = batch.schema()->fields();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i] = with_placeholders(columns[i]);
    fields[i] = fields[i]->WithType(columns[i]->type());
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(), std::move(columns));
}

std::shared_ptr<arrow::RecordBatch> without_placeholders(const arrow::RecordBatch& batch) {
  auto columns = batch.columns();
  auto fields = batch.schema()->fields();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (holds_placeholder(*columns[i]->type())) {
      columns[i] = adapt(columns[i], from_arrow(*columns[i]->type(), fields[i]->name()));
      fields[i] = fields[i]->WithType(columns[i]->type());
    }
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(), std::move(columns));
}

// Frames of batches that already are Arrow's.
// Text as binary, at every level.
std::shared_ptr<arrow::DataType> without_text(const std::shared_ptr<arrow::DataType>& type) {
  const auto below = [](const std::shared_ptr<arrow::Field>& field) {
    return field->WithType(without_text(field->type()));
  };
  switch (type->id()) {
    case arrow::Type::STRING:
      return arrow::binary();
    case arrow::Type::LARGE_STRING:
      return arrow::large_binary();
    case arrow::Type::STRING_VIEW:
      return arrow::binary_view();
    case arrow::Type::LIST:
      return arrow::list(below(type->field(0)));
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(below(type->field(0)));
    case arrow::Type::LIST_VIEW:
      return arrow::list_view(below(type->field(0)));
    case arrow::Type::LARGE_LIST_VIEW:
      return arrow::large_list_view(below(type->field(0)));
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(below(type->field(0)),
                                    static_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(below(field));
      return arrow::struct_(fields);
    }
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
      return arrow::dictionary(dictionary.index_type(), without_text(dictionary.value_type()));
    }
    default:
      return type;
  }
}

std::shared_ptr<arrow::ArrayData> without_text(const arrow::ArrayData& data) {
  auto plain = std::make_shared<arrow::ArrayData>(data);
  plain->type = without_text(data.type);
  for (auto& child : plain->child_data) child = without_text(*child);
  if (plain->dictionary) plain->dictionary = without_text(*plain->dictionary);
  return plain;
}

// Arrow's IPC files have no checksums: one that is damaged may lead beyond its buffers. Whether texts are
// UTF-8 is asked later, value by value.
std::shared_ptr<arrow::RecordBatch> checked(std::shared_ptr<arrow::RecordBatch> batch,
                                            const std::string& name) {
  if (!batch) return batch;
  for (const auto& column : batch->columns())
    check_read(arrow::MakeArray(without_text(*column->data()))->ValidateFull(), name);
  return batch;
}

class BatchFrames : public FrameReader {
 public:
  explicit BatchFrames(std::shared_ptr<FdInput> input) : input_(std::move(input)) {}

  std::vector<Frame> next(std::int64_t max_rows) override {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    std::int64_t rows = 0;
    while (rows < max_rows) {
      auto batch = next_batch();
      if (!batch) break;
      rows += batch->num_rows();
      if (batch->num_rows() > 0) batches.push_back(std::move(batch));
    }
    if (batches.empty()) return {};
    const auto schema = batches.front()->schema();
    return {Frame(check_read(arrow::Table::FromRecordBatches(schema, batches), name()))};
  }
  std::int64_t position() const override { return input_->position(); }
  std::int64_t size() const override { return input_->size(); }

 protected:
  virtual std::shared_ptr<arrow::RecordBatch> next_batch() = 0;  // nullptr at the end
  const std::string& name() const { return input_->name(); }
  FdInput& input() { return *input_; }

 private:
  std::shared_ptr<FdInput> input_;
};

// The whole input for reading out of order: the file itself, or what a pipe or a compressed file held.
std::shared_ptr<arrow::io::RandomAccessFile> random_access(FdInput& input, const std::string& path) {
  if (path != "-" && input.size() >= 0 && !input.is_packed())
    return check_read(arrow::io::ReadableFile::Open(path), path);
  return std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(input.read_all()));
}

class ArrowStreamFrames : public BatchFrames {
 public:
  explicit ArrowStreamFrames(const std::shared_ptr<FdInput>& input)
      : BatchFrames(input),
        reader_(check_read(arrow::ipc::RecordBatchStreamReader::Open(input), input->name())) {}

 private:
  std::shared_ptr<arrow::RecordBatch> next_batch() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    check_read(reader_->ReadNext(&batch), name());
    return checked(std::move(batch), name());
  }
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
};

class ArrowFileFrames : public BatchFrames {
 public:
  ArrowFileFrames(const std::shared_ptr<FdInput>& input, const std::string& path)
      : BatchFrames(input),
        reader_(check_read(arrow::ipc::RecordBatchFileReader::Open(random_access(*input, path)),
                           input->name())) {}

  std::int64_t position() const override {
    const auto all = std::max(1, reader_->num_record_batches());
    return size() < 0 ? BatchFrames::position() : size() / all * read_;
  }

 private:
  std::shared_ptr<arrow::RecordBatch> next_batch() override {
    if (read_ == reader_->num_record_batches()) return nullptr;
    return checked(check_read(reader_->ReadRecordBatch(read_++), name()), name());
  }
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  int read_ = 0;
};

// Arrow before 18 gives its reader by an out argument.
template <class Reader>
std::shared_ptr<arrow::RecordBatchReader> all_batches(Reader& reader, const std::string& name) {
  if constexpr (requires { reader.GetRecordBatchReader().status(); }) {
    return check_read(reader.GetRecordBatchReader(), name);
  } else {
    std::shared_ptr<arrow::RecordBatchReader> batches;
    check_read(reader.GetRecordBatchReader(&batches), name);
    return batches;
  }
}

class ParquetFrames : public BatchFrames {
 public:
  ParquetFrames(const std::shared_ptr<FdInput>& input, const std::string& path) : BatchFrames(input) {
    parquet::arrow::FileReaderBuilder builder;
    check_read(builder.Open(random_access(*input, path)), input->name());
    parquet::ArrowReaderProperties properties = parquet::default_arrow_reader_properties();
    properties.set_batch_size(kBatchRows);
    builder.properties(properties);
    reader_ = check_read(builder.Build(), input->name());
    rows_total_ = std::max<std::int64_t>(1, reader_->parquet_reader()->metadata()->num_rows());
    batches_ = all_batches(*reader_, input->name());
  }

  std::int64_t position() const override {
    const double share = static_cast<double>(rows_read_) / static_cast<double>(rows_total_);
    return size() < 0 ? BatchFrames::position()
                      : static_cast<std::int64_t>(static_cast<double>(size()) * share);
  }

 private:
  std::shared_ptr<arrow::RecordBatch> next_batch() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    check_read(batches_->ReadNext(&batch), name());
    if (!batch) return nullptr;
    rows_read_ += batch->num_rows();
    return without_placeholders(*batch);
  }
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  std::int64_t rows_read_ = 0, rows_total_ = 0;
};

class ArrowStreamWriter : public BatchWriter {
 public:
  ArrowStreamWriter(std::shared_ptr<Output> output, const std::shared_ptr<arrow::Schema>& schema)
      : output_(std::move(output)), writer_(check_write(arrow::ipc::MakeStreamWriter(output_, schema))) {}

  void write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    check_write(writer_->WriteRecordBatch(*batch));
  }
  void finish() override {
    check_write(writer_->Close());
    output_->finish();
  }

 private:
  std::shared_ptr<Output> output_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

class ParquetWriter : public BatchWriter {
 public:
  ParquetWriter(std::shared_ptr<Output> output, const std::shared_ptr<arrow::Schema>& schema)
      : output_(std::move(output)) {
    auto properties = parquet::WriterProperties::Builder()
                          .compression(parquet::Compression::ZSTD)
                          ->max_row_group_length(kRowGroupRows)
                          ->build();
    auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    const auto none = with_placeholders(*check_write(arrow::RecordBatch::MakeEmpty(schema)));
    writer_ =
        check_write(parquet::arrow::FileWriter::Open(*none->schema(), arrow::default_memory_pool(), output_,
                                                     std::move(properties), std::move(arrow_properties)));
  }

  void write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    check_write(writer_->WriteRecordBatch(*with_placeholders(*batch)));
  }
  void finish() override {
    check_write(writer_->Close());
    output_->finish();
  }

 private:
  std::shared_ptr<Output> output_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

}  // namespace

std::unique_ptr<FrameReader> read_arrow(const std::shared_ptr<FdInput>& input, const std::string& path) {
  if (input->peek(6) == "ARROW1") return std::make_unique<ArrowFileFrames>(input, path);
  return std::make_unique<ArrowStreamFrames>(input);
}

std::unique_ptr<FrameReader> read_parquet(const std::shared_ptr<FdInput>& input, const std::string& path) {
  return std::make_unique<ParquetFrames>(input, path);
}

std::unique_ptr<BatchWriter> write_arrow(std::shared_ptr<Output> output,
                                         const std::shared_ptr<arrow::Schema>& schema) {
  return std::make_unique<ArrowStreamWriter>(std::move(output), schema);
}

std::unique_ptr<BatchWriter> write_parquet(std::shared_ptr<Output> output,
                                           const std::shared_ptr<arrow::Schema>& schema) {
  return std::make_unique<ParquetWriter>(std::move(output), schema);
}

}  // namespace crv::io
