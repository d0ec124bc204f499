// What a user can ask of a run, one verb a file. Dataset's methods are these, on its Run.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "crv/io/dataset.h"
#include "io/run/run.h"
#include "io/run/upkeep.h"

namespace crv::io {

std::vector<AppendSummary> append(Run& run, Upkeep& upkeep, std::span<const TableFrame> frames,
                                  const AppendOptions& options);
Table create_table(Run& run, Upkeep& upkeep, core::TableDescriptor wanted);

Scan scan(Run& run, std::string_view table, const ScanOptions& options);
RebuildReport rebuild(Run& run, Upkeep& upkeep, std::string_view table, const Progress& progress);
// What rebuild() would write as the table's manifest; writes nothing.
TableManifest look_for_parts(Run& run, std::string_view table);
void write_manifest(Run& run, Upkeep& upkeep, const TableManifest& manifest);
VerifyReport verify(Run& run, bool full, const Progress& progress);
Json artifacts_index(Run& run);
// `of`: the run that the tables are of.
Json write_bundle(Run& run, const std::shared_ptr<const FoundRun>& of, const std::vector<TableInfo>& tables,
                  const JsonObject& meta, const JsonObject& env, const GitState& git);

}  // namespace crv::io
