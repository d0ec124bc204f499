// Reads what a scan has kept.
#pragma once

#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "io/dataset/scan_state.h"

namespace crv::io {

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

// Batches in order of (bucket, commit, row). A few parts and row groups are read ahead by threads of the
// reader's own, at most `threads` of them; with little to read, or one thread, by the caller alone.
std::shared_ptr<arrow::RecordBatchReader> make_reader(std::shared_ptr<const Scan::State> state);
// Scan::check_parts().
void check_kept_parts(const Scan::State& state, bool checksums);

}  // namespace crv::io
