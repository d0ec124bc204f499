// The families of formats behind open_frames and open_batches, one a file.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "crv/core/error.h"
#include "crv/io/formats.h"
#include "io/arrow/arrow_types.h"
#include "io/formats/streams.h"

namespace crv::io {

// `taken_for`: why this was taken for CSV where nobody said so, for an error: "" or the end of a sentence.
std::unique_ptr<FrameReader> read_csv(std::shared_ptr<FdInput> input, const core::TableDescriptor* table,
                                      const std::string& taken_for);
std::unique_ptr<FrameReader> read_jsonl(std::shared_ptr<FdInput> input, const core::TableDescriptor* table);
// Stream or file. `path` is opened anew where bytes must be read out of order.
std::unique_ptr<FrameReader> read_arrow(const std::shared_ptr<FdInput>& input, const std::string& path);
std::unique_ptr<FrameReader> read_parquet(const std::shared_ptr<FdInput>& input, const std::string& path);

std::unique_ptr<BatchWriter> write_csv(std::shared_ptr<Output> output,
                                       const std::shared_ptr<arrow::Schema>& schema);
std::unique_ptr<BatchWriter> write_jsonl(std::shared_ptr<Output> output);
std::unique_ptr<BatchWriter> write_arrow(std::shared_ptr<Output> output,
                                         const std::shared_ptr<arrow::Schema>& schema);
std::unique_ptr<BatchWriter> write_parquet(std::shared_ptr<Output> output,
                                           const std::shared_ptr<arrow::Schema>& schema);

// Puts rows after those of `tables`: into the last table if that takes no cast (a column that one of them
// lacks, or has only nulls in, is null there; nothing is copied), else as a new one.
void add_rows(std::vector<std::shared_ptr<arrow::Table>>& tables, std::shared_ptr<arrow::Table> rows);

// Arrow's failures while the file `name` is read or written, as crv's.
inline void check_read(const arrow::Status& status, const std::string& name) {
  ErrorFacts facts;
  facts.path = name;
  check(status, ErrorCode::read_failed, facts);
}
template <class T>
T check_read(arrow::Result<T> result, const std::string& name) {
  check_read(result.status(), name);
  return std::move(result).MoveValueUnsafe();
}
inline void check_write(const arrow::Status& status) {
  check(status, ErrorCode::write_failed, {});
}
template <class T>
T check_write(arrow::Result<T> result) {
  check_write(result.status());
  return std::move(result).MoveValueUnsafe();
}

}  // namespace crv::io
