// A filter of Arrow over a scan: which parts can hold a row that it lets through, as far as ticks tell.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/io/dataset.h"

namespace crv::io {

struct FilteredScan {
  Scan scan;
  std::vector<std::string> columns;  // those of the scan that the filter speaks of, in the scan's order
};

// `filter` is what arrow::compute::Serialize() makes of an expression. Its conditions that must all hold and
// speak of nothing but tick and bucket decide, whatever they are made of: each tick that the parts can hold
// is tried, unless there are more than 4,000,000. Rows are not filtered. Throws IoArgumentError
// (bad_argument) where it is no expression.
FilteredScan prune(const Scan& scan, const std::shared_ptr<arrow::Buffer>& filter);

}  // namespace crv::io
