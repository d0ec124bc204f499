// Rows to buckets.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "io/conform/conform.h"

namespace crv::io {

// Bucket of each tick, and what one pass over the ticks tells besides. Ticks must be int64, not null, not
// negative.
struct BucketColumn {
  std::shared_ptr<arrow::ChunkedArray> values;  // int64, chunked as the ticks
  bool ascending = true;                        // no bucket comes again after a later one
  std::int64_t lowest = 0, highest = 0;         // buckets; 0 where there is no row
  struct Run {                                  // rows one after another of one bucket
    std::int64_t bucket = 0, begin = 0;         // begin: its first row
    std::int64_t tick_min = 0, tick_max = 0;
  };
  std::vector<Run> runs;  // all of them, while ascending
};
BucketColumn buckets_of(const arrow::ChunkedArray& ticks, std::int64_t bucket_size);

// One entry a bucket that occurs, ascending; the rows of each in the table's order. `table` has the columns
// `tick` and `bucket`. Ascending input is sliced, not copied.
std::vector<Conformed::Bucket> split_by_bucket(const std::shared_ptr<arrow::Table>& table,
                                               const BucketColumn& buckets, std::size_t threads = cores());

}  // namespace crv::io
