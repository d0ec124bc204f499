// What a user can ask of a run, one verb a file. Dataset's methods are these, on its Run.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "crv/io/dataset.h"
#include "io/run.h"

namespace crv::io {

std::vector<AppendSummary> append(Run& run, std::span<const TableFrame> frames, const AppendOptions& options);
Scan scan(Run& run, std::string_view table, const ScanOptions& options);
RebuildReport rebuild(Run& run, std::string_view table, const Progress& progress);
VerifyReport verify(Run& run, bool full, const Progress& progress);
Json write_bundle(Run& run, const JsonObject& meta, const JsonObject& env);

// Calls job(0..count-1) on as many threads as there are cores, and at least one. The first exception stops the rest and
// is thrown again.
void in_parallel(std::size_t count, const std::function<void(std::size_t)>& job);

}  // namespace crv::io
