// manifest.json of a table: the log of its run folded up to a point. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crv::io {

// One Parquet file of one bucket.
struct PartMeta {
  std::string path;  // bare file name, below the bucket's folder
  std::int64_t rows = 0;
  std::int64_t bytes = 0;                   // of the file
  std::int64_t tick_min = 0, tick_max = 0;  // inclusive
  std::string created_at;                   // ISO 8601, UTC

  bool operator==(const PartMeta&) const = default;
};

struct PartitionMeta {
  std::int64_t bucket_id = 0;
  std::string state = "ready";
  std::int64_t tick_min = 0, tick_max = 0;
  std::int64_t row_count = 0;
  std::int64_t byte_size = 0;
  std::vector<PartMeta> parts;  // in commit order
};

struct TableManifest {
  std::string table;
  std::int64_t version = 1;
  std::string created_at, updated_at;     // ISO 8601, UTC
  std::vector<PartitionMeta> partitions;  // by bucket
  std::int64_t last_seq = 0;              // the commit it is folded to; 0: none
  std::string last_id;                    // that commit's id

  std::int64_t rows() const;
  std::int64_t bytes() const;
  std::int64_t parts() const;
};

// manifest.json's text: two spaces a level, the contract's keys in the contract's order, then crv's.
std::string to_json(const TableManifest& manifest);

}  // namespace crv::io
