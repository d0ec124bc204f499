// What it costs to read 1% of the ticks of a long run.
#include "scan_bench.h"

#include <arrow/table.h>

#include <cstdio>
#include <optional>
#include <stdexcept>
#include <vector>

#include "history.h"

namespace crv::bench {
namespace {

constexpr std::int64_t kFirst = 5'000, kTicks = 100;
constexpr int kTurns = 7;

struct ScanCost {
  std::vector<double> open_ms, read_ms;
};

void scan_once(const io::IoSettings& settings, const std::string& run, std::int64_t from, ScanCost& cost) {
  std::optional<io::Dataset> dataset;
  std::optional<io::Scan> scan;
  cost.open_ms.push_back(1000 * seconds_of([&] {
                           dataset.emplace(settings, run);
                           scan = dataset->scan("holdings", {.ticks = {from, from + kTicks - 1}});
                         }));
  std::shared_ptr<arrow::Table> table;
  cost.read_ms.push_back(1000 * seconds_of([&] { table = scan->collect(); }));
  if (table->num_rows() != kTicks * kRowsPerTick) throw std::runtime_error("the scan gave other rows");
}

void print(const char* what, const std::vector<double>& alone, const std::vector<double>& many) {
  std::printf("  %-46s %8.2f ms %8.2f ms   x %.2f\n", what, median(alone), median(many),
              median(many) / median(alone));
}

}  // namespace

void bench_scan(const io::IoSettings& settings) {
  extend_history(settings, "alone", 0, kTicks);
  ScanCost alone, many;
  for (int turn = 0; turn < kTurns; ++turn) {
    scan_once(settings, "alone", 0, alone);
    scan_once(settings, "many", kFirst, many);
  }
  std::printf("\nReading %lld ticks of %lld rows, one part each; files cached by the system, medians of %d\n",
              static_cast<long long>(kTicks), static_cast<long long>(kRowsPerTick), kTurns);
  std::printf("  %-46s %8lld pts %8lld pts   ratio\n", "from a run of so many parts",
              static_cast<long long>(kTicks), 10'000LL);
  print("opening the run and planning", alone.open_ms, many.open_ms);
  print("reading", alone.read_ms, many.read_ms);
}

}  // namespace crv::bench
