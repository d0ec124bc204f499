// What it costs to append 100 rows to a run that has a short past and to one that has a long one.
#include "append_bench.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <stdexcept>
#include <vector>

#include "history.h"

namespace crv::bench {
namespace {

constexpr std::int64_t kFew = 10, kMany = 10'000;  // parts
constexpr std::int64_t kLag = 280;  // commits: about as far as a manifest of 10,000 parts is let behind
constexpr int kTurns = 15;          // appends to each, in turn, so that both see the same disk

std::string few_run(int turn) {
  return "few_" + std::to_string(turn);
}
const char* const kManyRun = "many";

void append_tick(io::Dataset& dataset, std::int64_t tick) {
  dataset.append("holdings", rows_of(tick));
}

// Milliseconds of each of some appends by a Dataset that has appended before.
void measure_held_appends(io::Dataset& dataset, std::int64_t tick, std::vector<double>& ms) {
  append_tick(dataset, tick);
  for (std::int64_t later = 1; later <= 3; ++later)
    ms.push_back(1000 * seconds_of([&] { append_tick(dataset, tick + later); }));
}

struct ProcessCost {
  double inside = 0;  // milliseconds from the making of the Dataset to the end of close()
  double whole = 0;   // of the whole process, its start and the loading of its libraries included
};

ProcessCost in_new_process(const std::string& program, const io::IoSettings& settings, const std::string& run,
                           std::int64_t tick) {
  ProcessCost cost;
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  cost.whole = 1000 * seconds_of([&] {
                 const pid_t child = fork();
                 if (child == 0) {
                   dup2(ends[1], STDOUT_FILENO);
                   const std::string at = std::to_string(tick);
                   execl(program.c_str(), program.c_str(), "--append-once", settings.root_dir.c_str(),
                         run.c_str(), at.c_str(), static_cast<char*>(nullptr));
                   _exit(127);
                 }
                 int status = 0;
                 if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
                   throw std::runtime_error("the appending process failed");
               });
  close(ends[1]);
  char text[64] = {};
  if (read(ends[0], text, sizeof text - 1) <= 0)
    throw std::runtime_error("the appending process said nothing");
  close(ends[0]);
  cost.inside = std::stod(text);
  return cost;
}

void print(const char* what, const std::vector<double>& few_ms, const std::vector<double>& many_ms) {
  std::printf("  %-46s %8.2f ms %8.2f ms   x %.2f\n", what, median(few_ms), median(many_ms),
              median(many_ms) / median(few_ms));
  std::fflush(stdout);
}

void measure_held(const io::IoSettings& settings) {
  io::Dataset long_past(settings, kManyRun);
  append_tick(long_past, kMany);
  std::vector<double> few_ms, many_ms;
  for (int turn = 0; turn < kTurns; ++turn) {
    io::Dataset short_past(settings, few_run(turn));
    measure_held_appends(short_past, kFew, few_ms);
    measure_held_appends(long_past, kMany + 1 + std::int64_t{4} * turn, many_ms);
  }
  print("a held Dataset", few_ms, many_ms);
}

void measure_new_process(const io::IoSettings& settings, const std::string& program, const char* what,
                         std::int64_t few_tick, std::int64_t many_tick) {
  std::vector<double> few_inside, many_inside, few_whole, many_whole;
  for (int turn = 0; turn < kTurns; ++turn) {
    const ProcessCost a = in_new_process(program, settings, few_run(turn), few_tick);
    const ProcessCost b = in_new_process(program, settings, kManyRun, many_tick + turn);
    few_inside.push_back(a.inside);
    few_whole.push_back(a.whole);
    many_inside.push_back(b.inside);
    many_whole.push_back(b.whole);
  }
  print((std::string("a new process, ") + what).c_str(), few_inside, many_inside);
  print("  with its start and the loading of libraries", few_whole, many_whole);
}

}  // namespace

void append_once(const std::string& root, const std::string& run, std::int64_t tick) {
  io::IoSettings settings;
  settings.root_dir = root;
  const double seconds = seconds_of([&] {
    io::Dataset dataset(settings, run);
    append_tick(dataset, tick);
    dataset.close();
  });
  std::printf("%.6f\n", 1000 * seconds);
}

void bench_append(const io::IoSettings& settings, const std::string& program) {
  for (int turn = 0; turn < kTurns; ++turn) extend_history(settings, few_run(turn), 0, kFew);
  io::Dataset(settings, kManyRun).refresh_manifests();
  sync();  // what the histories left in memory must not be flushed while the appends are measured
  std::printf("\nAppending %lld rows, one part, durable; medians of %d\n",
              static_cast<long long>(kRowsPerTick), kTurns);
  std::printf("  %-46s %8lld pts %8lld pts   ratio\n", "to a run of so many parts",
              static_cast<long long>(kFew), static_cast<long long>(kMany));
  measure_new_process(settings, program, "manifest just written", kFew, kMany);
  measure_held(settings);
  extend_history(settings, kManyRun, kMany + 100, kMany + 100 + kLag);
  sync();
  measure_new_process(settings, program, "280 commits after the manifest", kFew + 10, kMany + 2 * kLag);
}

}  // namespace crv::bench
