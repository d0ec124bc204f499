// A part: one Parquet file of one bucket. Beside formats/ the only code that knows Parquet.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/io/settings.h"
#include "io/log/commit.h"
#include "io/schema/types.h"
#include "io/storage/storage.h"

namespace crv::io {

// What a part says of itself in its footer. Those of the older package have only the first three.
struct PartFooter {
  std::string schema_version;  // crv_schema_version  "0.1@2025-09-20"
  std::string table;           // crv_table_name
  std::string run_id;          // crv_run_id
  std::string append_id;  // crv_append_id       id of the commit that was to name it; empty: older package
  std::int64_t append_parts = 0;      // crv_append_parts    parts of that commit, over all its tables
  std::vector<std::string> replaces;  // crv_replaces     file names of the parts a compaction merged
  std::string token;                  // crv_token           "<writer> <number>" or empty
  std::string created_at;             // crv_created_at      as in the manifest; empty: older package
  Columns columns;                    // crv_columns         types of all paths, unknown ones included
  Definition definition;  // crv_definition      of a table of the user's own, as of that commit; else nullptr
};

struct EncodeSettings {
  Compression compression = Compression::zstd;
  std::int64_t row_group_size = 131072;  // rows, > 0
};

struct EncodedPart {
  std::int64_t bytes = 0;
  std::string checksum;  // 16 hex digits: XXH3-64 of the whole file
};

// Writes `rows` as a part to `writer`, and finishes it. Columns come in the order they have, in the one form
// that parts have (see to_arrow): optional at every level, empty structs with their "_empty".
// `footer.columns` may tell of more paths than `rows` has. Throws IoWriteError, or whatever `writer` threw;
// IoSchemaError (wrong_type) for a type that no part holds, null types among them. Nothing is visible then.
EncodedPart write_part(Writer& writer, const arrow::Table& rows, const PartFooter& footer,
                       const EncodeSettings& settings);

// Facts that a footer tells without reading a row.
struct PartFacts {
  PartFooter footer;  // columns: from crv_columns, else from the Parquet schema
  Columns stored;     // from the Parquet schema: without the paths of unknown type
  std::int64_t rows = 0, bytes = 0;
  std::int64_t tick_min = 0, tick_max = 0;  // of the row groups' statistics, else of the column itself
};
// Of any Parquet file with a column tick of integers: what it has no keys for is empty. Throws IoReadError:
// part_missing where there is none, part_damaged where it cannot be read or has no rows or tick.
PartFacts read_part_facts(Storage& storage, const std::string& path);

// A part as its footer has it, under the name that it stands under; without a checksum.
PartRecord record_of(std::int64_t bucket, const std::string& file, const PartFacts& facts);

// A table that is no part: the bytes of a Parquet file (zstd) without any key of crv's. `path`: where it will
// stand, for an error. Throws IoWriteError.
std::shared_ptr<arrow::Buffer> plain_parquet(const arrow::Table& table, const std::string& path);

// Rows of any Parquet file, by its footer; nothing where it is none or damaged.
std::optional<std::int64_t> parquet_rows(Storage& storage, const std::string& path);

// Checksum of all bytes of an object, as in EncodedPart.
std::string checksum_of(Reader& object);
// Of the file of a part. Throws part_missing where there is none.
std::string checksum_of(Storage& storage, const std::string& path);

// Reads the rows of a part whose tick is in [tick_min, tick_max], as the columns of `wanted`: a column or
// field that the part lacks is null, i64 meets f64, empty structs are stripped of "_empty". Row groups that
// cannot match are not read, nor columns that are not wanted (but tick, for the filter). Pages that carry a
// checksum are checked against it. All errors about the part are IoReadError with its path: part_damaged,
// part_missing, part_foreign; or read_failed.
struct PartQuery {
  std::int64_t tick_min = INT64_MIN, tick_max = INT64_MAX;
  Columns wanted;
  std::int64_t batch_rows = 65536;  // > 0
};
class PartReader {
 public:
  // Opens the file and reads its footer, no rows. `expected_bytes` < 0: not known. `table`, `run_id`: must be
  // those of the footer's keys where the file has them (part_foreign).
  PartReader(Storage& storage, std::string path, const PartQuery& query, std::string_view table,
             std::string_view run_id, std::int64_t expected_bytes);
  ~PartReader();
  std::int64_t row_groups() const;  // those that can match, in order
  // Checks the pages that read_row_group() would read by their checksums, in all row groups, without decoding
  // them. What no checksum guards (page headers, the footer) is only seen where it cannot be read.
  void check_pages() const;
  // Decodes matching row group `i`, filtered and adapted, as batches of exactly to_arrow(wanted), none of
  // them empty and each of at most batch_rows rows; none where no row matches. Safe from several threads.
  std::vector<std::shared_ptr<arrow::RecordBatch>> read_row_group(std::int64_t i);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crv::io
