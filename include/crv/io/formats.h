// Rows in files and pipes: Parquet, CSV, JSON lines, Arrow IPC. What gzip, zstd, bzip2 or lz4 has compressed
// is read as what it was before.
//
// Cells. In CSV a struct or list is JSON text; an empty cell is null, a quoted empty one ("") is an empty
// text, or null in a column that holds no text. Columns that the table does not describe become integers,
// else floats, else text: dates are never guessed. In JSON lines NaN and the infinities are written as Python
// does (NaN, Infinity, -Infinity), which is not strict JSON; crv and Python read them back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"
#include "crv/io/frame.h"

namespace crv::io {

enum class Format {
  csv,    // RFC 4180 with a header line
  jsonl,  // one JSON object a line; read also as one array of objects
  arrow,  // Arrow IPC: written as a stream, read as stream or file
  parquet,
};

// "csv", "jsonl", "arrow", "parquet", in this order.
const std::vector<std::string>& format_names();
std::string_view name_of(Format format) noexcept;
// Throws IoArgumentError (bad_argument).
Format format_from_name(std::string_view name);
// By the file's extension: .parquet .pq .csv .jsonl .ndjson .json .arrow .arrows .feather .ipc, each also
// with .gz .zst .zstd .bz2 or .lz4 behind it; nothing for any other.
std::optional<Format> format_of_path(std::string_view path);

struct InputOptions {
  std::optional<Format> format;                  // absent: by extension, else by the first bytes
  const core::TableDescriptor* table = nullptr;  // types of CSV columns; must outlive the reader
  std::function<bool()> stop;  // asked while waiting; true ends reading with code `interrupted`
};

// On which line of a text input, from 1, each row stands. Rows are added in order.
class LineMap {
 public:
  void add(std::int64_t line);
  void clear();
  // Nothing where the row was not added.
  std::optional<std::int64_t> line_of(std::int64_t row) const;

 private:
  struct Run {
    std::int64_t row = 0, line = 0;  // from this row on, each row is one line further
  };
  std::vector<Run> runs_;
  std::int64_t rows_ = 0;
};

// The rows of one file, in order. Not for several threads at once.
class FrameReader {
 public:
  virtual ~FrameReader() = default;
  // The next rows, at least one and about `max_rows`; empty at the end. More than one frame where no single
  // one holds them without a cast (JSON lines whose types change on the way). Throws IoReadError where the
  // input cannot be read or is not of its format, SchemaError or IoSchemaError where a text holds no rows,
  // with the line where known.
  virtual std::vector<Frame> next(std::int64_t max_rows) = 0;
  // Lines of the rows that next() returned last; knows none where the format has no lines.
  virtual const LineMap& lines() const;
  // Bytes read so far, and of the whole input (-1: not known).
  virtual std::int64_t position() const = 0;
  virtual std::int64_t size() const = 0;
};

// Opens a file; "-" is standard input. Parquet and an Arrow IPC file on standard input are held in memory
// whole.
std::unique_ptr<FrameReader> open_frames(const std::string& path, const InputOptions& options = {});

// Writes batches of one schema. Destroyed without finish(): a file is as if it had never been begun.
class BatchWriter {
 public:
  virtual ~BatchWriter() = default;
  virtual void write(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;
  virtual void finish() = 0;
};

// Writes to a file, which appears (or is replaced) whole and durable at finish(); "-" is standard output, a
// device or pipe is written as it is. Throws IoWriteError (write_failed); its os_error is EPIPE where the
// reader of a pipe went.
std::unique_ptr<BatchWriter> open_batches(const std::string& path, Format format,
                                          const std::shared_ptr<arrow::Schema>& schema);

// Text into a file in the same way, for who has a format of their own. Both calls throw IoWriteError, too.
class TextWriter {
 public:
  virtual ~TextWriter() = default;
  virtual void write(std::string_view text) = 0;
  virtual void finish() = 0;
};
std::unique_ptr<TextWriter> open_text(const std::string& path);

}  // namespace crv::io
