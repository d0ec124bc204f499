// A part open for reading: its footer, and its columns row group by row group. For the code of parts only.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <parquet/exception.h>

#include "io/arrow/arrow_types.h"
#include "io/part/part.h"

namespace parquet {
class FileMetaData;
}

namespace crv::io {

class PartInput;

inline constexpr const char* kTick = "tick";

[[noreturn]] void damaged_part(const std::string& path, const std::string& what);

// Runs what reads bytes that may be anything: whatever goes wrong in there is a damaged part, save for errors
// of the storage, which stay what they are, and a lack of memory.
template <class Work>
auto reading_part(const std::string& path, Work work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    check(arrow::Status::OutOfMemory("not enough memory to read it"), ErrorCode::out_of_memory,
          {.path = path});
    throw;
  } catch (const parquet::ParquetStatusException& error) {
    ErrorFacts facts;
    facts.path = path;
    check(error.status(), ErrorCode::part_damaged, facts);
    throw;
  } catch (const std::exception& error) {
    damaged_part(path, error.what());
  }
}

struct TickSpan {
  std::int64_t min = std::numeric_limits<std::int64_t>::max();
  std::int64_t max = std::numeric_limits<std::int64_t>::min();
  bool empty() const { return min > max; }
  void include(std::int64_t low, std::int64_t high);
};

// Its footer has been read and checked when it is made. All calls are safe from several threads.
class PartFile {
 public:
  PartFile(Storage& storage, std::string path);

  const std::string& path() const { return path_; }
  ErrorFacts facts() const;  // the path
  std::int64_t bytes() const { return bytes_; }
  std::int64_t rows() const;
  int groups() const;
  std::int64_t rows_of(int group) const;

  const PartFooter& footer() const { return footer_; }  // without columns and definition
  // Types of all columns: as the footer's keys tell, else as Parquet's schema does.
  Columns columns() const;
  Columns stored_columns() const;  // as Parquet's schema tells
  Definition definition() const;   // of a table of the user's own; nullptr where the footer has none

  // Numbers of the leaves below a column, empty where the part lacks it.
  const std::vector<int>& leaves(const std::string& column) const;
  // Rows of one row group, only the columns that `leaves` lie below, in the types that the file has.
  std::shared_ptr<arrow::Table> read(int group, const std::vector<int>& leaves) const;

  // Reads the pages of one row group below `leaves` and checks their checksums, without decoding them.
  void check_pages(int group, const std::vector<int>& leaves) const;

  // The two below throw part_damaged where there is no column tick of integers.
  std::shared_ptr<arrow::ChunkedArray> read_tick(int group) const;
  // What a row group's statistics tell; nothing where it has none to go by.
  std::optional<TickSpan> tick_statistics(int group) const;

 private:
  void check_rows() const;
  void index_columns();
  int tick_leaf() const;

  std::string path_;
  std::shared_ptr<PartInput> file_;
  std::int64_t bytes_ = 0;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  PartFooter footer_;
  std::map<std::string, std::vector<int>> leaves_;
};

// Calls use(row, tick) for each tick of a column that PartFile::read_tick() gave, nulls left out.
template <class Use>
void for_each_tick(const PartFile& part, const std::shared_ptr<arrow::ChunkedArray>& ticks, Use use) {
  const Type integer = core::plain_type(Type::Kind::i64);
  std::int64_t row = 0;
  for (const auto& chunk : ticks->chunks()) {
    const auto adapted = adapt(chunk, integer, part.facts());
    const auto& values = static_cast<const arrow::Int64Array&>(*adapted);
    const bool nulls = values.null_count() > 0;
    for (std::int64_t i = 0; i < values.length(); ++i, ++row)
      if (!nulls || values.IsValid(i)) use(row, values.Value(i));
  }
}

}  // namespace crv::io
