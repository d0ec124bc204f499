// Runs with a long past, made quickly, and what all benchmarks share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crv/core/rows.h"
#include "crv/io/dataset.h"

namespace crv::bench {

// Rows of one append of the benchmarks: so many agents, one tick.
inline constexpr std::int64_t kRowsPerTick = 100;

std::vector<core::HoldingsRow> rows_of(std::int64_t tick);

// Records ticks from `first` to before `end` as one append each, so that the run gets as many commits and
// parts. Made without a single fsync, yet the run is one with durability `commit`.
void extend_history(const io::IoSettings& settings, const std::string& run_id, std::int64_t first,
                    std::int64_t end);

// Seconds that `work` takes.
template <class Work>
double seconds_of(const Work& work);

double now_seconds();
double median(std::vector<double> values);

template <class Work>
double seconds_of(const Work& work) {
  const double begun = now_seconds();
  work();
  return now_seconds() - begun;
}

}  // namespace crv::bench
