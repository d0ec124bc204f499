// From a caller's frame to what a part holds: columns checked, cast without loss, one physical type per path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"
#include "io/base/parallel.h"
#include "io/schema/types.h"

namespace crv::io {

struct ConformOptions {
  // unknown columns are an error, else kept after the descriptor's, in caller's order
  bool strict_schema = true;
  bool validate_schema = true;  // check for missing, unknown and null; types are conformed always
  bool validate_rows = false;   // check the model rules and column rules, see row_rules.h
  bool quarantine = false;      // with validate_rows: bad rows go to Conformed::rejected
  std::int64_t tick_bucket_size = 100;
  std::size_t threads = cores();  // at most
};

// A frame ready to be split and encoded.
struct Conformed {
  // Descriptor columns that were given, in descriptor order with `bucket` computed from tick, then extra
  // ones. Types: int64, double, bool, utf8 or large_utf8 (string_view of a column that came so), list or
  // large_list, struct, and what else Parquet holds. No null type, no dictionary, no other view anywhere; an
  // empty struct has one child "_empty".
  std::shared_ptr<arrow::Table> table;
  // What `table` holds, plus the paths of unknown type (Kind::null) that were given and are not in it; in the
  // same order. i64 paths with an integer beyond +-2^53 are exact, save for the descriptor's i64 columns,
  // whose type is fixed. Empty structs have no fields here.
  Columns columns;
  // One entry a bucket, ascending: rows of `table` that belong to it, in order.
  struct Bucket {
    std::int64_t id = 0;
    std::int64_t tick_min = 0, tick_max = 0;
    std::shared_ptr<arrow::Table> rows;
  };
  std::vector<Bucket> buckets;
  // With `quarantine`, the bad rows as rows of the table `quarantine`, which are in none of the above;
  // nullptr where there is none.
  std::shared_ptr<arrow::Table> rejected;
};

// Checks and casts (the casts: cast.h; the rules of nested paths: normalize.h). `held` is what the run
// remembers of the table's paths: a path that is f64 there is written as f64, one of unknown type takes its
// type from there. Throws IoSchemaError with table, column, first bad row and value; with `validate_rows` it
// tells of all rows at once (raise_broken). A frame without rows yields no buckets, after its columns were
// checked.
Conformed conform(const arrow::Table& frame, const core::TableDescriptor& descriptor, const Columns& held,
                  const ConformOptions& options);

}  // namespace crv::io
