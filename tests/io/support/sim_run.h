// Runs on a simulated disk, for tests of the protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crv/io/dataset.h"
#include "io/support/sim_os.h"

namespace crv::io {

inline constexpr const char* sim_run_id = "run_sim";

// Options for a Dataset on `disk`, with a clock that moves a microsecond a look and ids that never repeat
// within this process. Warnings are collected where `warnings` is given, else they fail the test.
DatasetOptions sim_options(std::shared_ptr<SimOs> disk, std::vector<std::string>* warnings = nullptr);
Dataset sim_dataset(std::shared_ptr<SimOs> disk, std::vector<std::string>* warnings = nullptr);

// Holdings rows with these ticks; agent and quantity tell the row apart.
std::vector<core::HoldingsRow> holdings(const std::vector<std::int64_t>& ticks,
                                        std::int64_t first_quantity = 0);

// Rows of a table of the user's own: a tick and a quantity, an integer, or a float where `floats`.
Frame own_rows(const std::vector<std::int64_t>& ticks, std::int64_t first_quantity = 0, bool floats = false);
// Appends them to `table`, which that defines.
AppendSummary append_own(Dataset& dataset, const std::string& table, const Frame& rows);

// What a reader sees: for each table with rows its (tick, quantity or -1) in scan order.
using Seen = std::map<std::string, std::vector<std::pair<std::int64_t, std::int64_t>>>;
Seen seen(Dataset& dataset);
Seen seen_on(const std::shared_ptr<SimOs>& disk);

// Names of the part files below the run, committed or not.
std::vector<std::string> part_files(const SimOs& disk);

// Makes an empty run whose log is folded every `commits_per_fold` commits.
void put_run(SimOs& disk, std::int64_t commits_per_fold);

}  // namespace crv::io
