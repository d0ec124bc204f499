// JSON lines, in and out; in also as the elements of one JSON array.
#include <arrow/api.h>

#include "crv/core/shown.h"
#include "crv/io/json_rows.h"
#include "io/formats/file_formats.h"
#include "io/formats/json_array.h"
#include "io/formats/json_line.h"

namespace crv::io {
namespace {

constexpr std::int64_t kChunkRows = 65536;  // as JSON values rows take many times the room of a frame
constexpr std::int64_t kRowsAtOnce = 1024;
constexpr std::size_t kFirstBytes = 64;

bool begins_array(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  const auto first = head.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && head[first] == '[';
}

class JsonLineFrames : public FrameReader {
 public:
  JsonLineFrames(std::shared_ptr<FdInput> input, const core::TableDescriptor* table)
      : input_(std::move(input)), table_(table), reader_(*input_) {
    if (begins_array(input_->peek(kFirstBytes))) array_.emplace(*input_);
  }

  std::vector<Frame> next(std::int64_t max_rows) override {
    lines_.clear();
    std::vector<std::shared_ptr<arrow::Table>> frames;
    std::int64_t rows = 0;
    while (rows < max_rows) {
      const auto chunk = next_chunk(std::min(max_rows - rows, kChunkRows));
      if (chunk.empty()) break;
      add_rows(frames, make_frame(chunk, rows));
      rows += static_cast<std::int64_t>(chunk.size());
    }
    return {frames.begin(), frames.end()};
  }
  const LineMap& lines() const override { return lines_; }
  std::int64_t position() const override { return input_->position(); }
  std::int64_t size() const override { return input_->size(); }

 private:
  std::vector<JsonObject> next_chunk(std::int64_t max_rows) {
    std::vector<JsonObject> rows;
    while (static_cast<std::int64_t>(rows.size()) < max_rows) {
      const auto text = array_ ? array_->next() : reader_.next();
      if (!text) break;
      const std::int64_t line = array_ ? array_->number() : reader_.number();
      if (auto row = parse_json_line(*text, line)) {
        rows.push_back(std::move(*row));
        lines_.add(line);
      }
    }
    return rows;
  }

  std::shared_ptr<arrow::Table> make_frame(const std::vector<JsonObject>& rows,
                                           std::int64_t first_row) const {
    try {
      return frame_from_json(rows, table_).table();
    } catch (const Error& error) {
      raise_at_line(error, error.facts().row ? lines_.line_of(first_row + *error.facts().row) : std::nullopt);
    }
  }

  std::shared_ptr<FdInput> input_;
  const core::TableDescriptor* table_;
  LineReader reader_;
  std::optional<JsonArrayReader> array_;  // where the input is one array, whose elements are the rows
  LineMap lines_;
};

class JsonLineWriter : public BatchWriter {
 public:
  explicit JsonLineWriter(std::shared_ptr<Output> output) : output_(std::move(output)) {}

  void write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    for (std::int64_t at = 0; at < batch->num_rows(); at += kRowsAtOnce) {
      text_.clear();
      for (auto& row : rows_to_json(*batch, at, at + kRowsAtOnce)) {
        write_json(Json(std::move(row)), {}, text_);
        text_ += '\n';
      }
      check_write(output_->Write(text_.data(), static_cast<std::int64_t>(text_.size())));
    }
  }
  void finish() override { output_->finish(); }

 private:
  std::shared_ptr<Output> output_;
  std::string text_;
};

}  // namespace

std::optional<JsonObject> parse_json_line(std::string_view text, std::int64_t line) {
  if (text.find_first_not_of(" \t\r") == std::string_view::npos) return std::nullopt;
  ErrorFacts facts;
  facts.line = line;
  Json value;
  try {
    value = parse_json(text, RepeatedKeys::refused);
  } catch (const Error& error) {
    raise_at_line(error, line);
  }
  auto* object = value.get_if<JsonObject>();
  if (!object) {
    facts.value = shortened(text, 80);
    raise(ErrorCode::bad_json,
          "line " + std::to_string(line) + ": a row must be a JSON object, this is " + facts.value, facts);
  }
  return std::move(*object);
}

void raise_at_line(const Error& error, std::optional<std::int64_t> line) {
  ErrorFacts facts = error.facts();
  if (line && !facts.line) {
    facts.line = line;
    raise(error.code(), "line " + std::to_string(*line) + ": " + error.what(), facts);
  }
  raise(error.code(), error.what(), facts);
}

std::unique_ptr<FrameReader> read_jsonl(std::shared_ptr<FdInput> input, const core::TableDescriptor* table) {
  return std::make_unique<JsonLineFrames>(std::move(input), table);
}

std::unique_ptr<BatchWriter> write_jsonl(std::shared_ptr<Output> output) {
  return std::make_unique<JsonLineWriter>(std::move(output));
}

}  // namespace crv::io
