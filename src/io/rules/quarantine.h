// Good rows and bad rows of a frame, kept apart.
#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "io/base/parallel.h"
#include "io/rules/broken_rules.h"

namespace crv::io {

inline constexpr const char* kQuarantine = "quarantine";

struct SortedRows {
  std::shared_ptr<arrow::Table> good;  // of the frame, in order
  std::shared_ptr<arrow::Table> bad;   // as rows of the table `quarantine`, in order
};

// `ticks`: those of the frame as int64; what is null or negative there becomes 0. `broken` must list all rows
// of each rule. A row that breaks several rules is told with the first of them.
SortedRows sort_rows(const arrow::Table& frame, const arrow::ChunkedArray& ticks, const BrokenRules& broken,
                     const std::string& table, std::size_t threads = cores());

}  // namespace crv::io
