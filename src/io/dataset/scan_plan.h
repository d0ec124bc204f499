// Which parts a scan reads, from the manifest and the log alone: no part is opened.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crv/core/descriptor.h"
#include "io/dataset/scan_state.h"
#include "io/log/table_state.h"
#include "io/schema/types.h"

namespace crv::io {

// The columns that a scan of the table has, with the least types that hold all its parts.
Columns scan_columns(const TableState& state, const core::TableDescriptor& descriptor);
// Of `all` those with these names, in this order. Throws bad_projection.
Columns select_columns(const Columns& all, const std::vector<std::string>& names, const std::string& table);

// Throw bad_limit and bad_argument.
void check_limit(std::int64_t limit, const std::string& table);
void check_options(const ScanOptions& options, const std::string& table);

// Takes the snapshot's parts, and decides of each whether it is read. The query and the limit are set.
void plan_parts(const TableState& snapshot, Scan::State& scan);
// What Scan::prune() and Scan::head() leave of them.
void prune_parts(std::span<const TickRange> ranges, Scan::State& scan);
void limit_parts(std::int64_t rows, Scan::State& scan);
// Whether the limit leaves out rows, so that each part that is read counts for which rows are the first.
bool limit_cuts(const Scan::State& scan);
// Scan::ticks().
std::vector<TickRange> kept_ticks(const Scan::State& scan);
// Whether nothing in the kept parts and wanted columns keeps other engines from reading them.
bool has_obstacles(const Scan::State& scan);

}  // namespace crv::io
