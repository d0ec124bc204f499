#include "history.h"

#include <algorithm>
#include <chrono>

#include "io/storage/local_storage.h"

namespace crv::bench {

std::vector<core::HoldingsRow> rows_of(std::int64_t tick) {
  std::vector<core::HoldingsRow> rows;
  for (std::int64_t agent = 0; agent < kRowsPerTick; ++agent)
    rows.push_back({.tick = tick,
                    .agent_id = "agent_" + std::to_string(agent),
                    .token_id = "grain",
                    .quantity = (agent * 7919 + tick * 104729) % 1000});
  return rows;
}

void extend_history(const io::IoSettings& settings, const std::string& run_id, std::int64_t first,
                    std::int64_t end) {
  io::DatasetOptions options;
  options.storage = io::local_storage(io::Durability::none);
  io::Dataset dataset(settings, run_id, options);
  for (std::int64_t tick = first; tick < end; ++tick) dataset.append("holdings", rows_of(tick));
  dataset.close();
}

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

}  // namespace crv::bench
