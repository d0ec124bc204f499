// crv_bench [FOLDER] [--rows N] [--structs N]: benchmarks of the store, as ratios of times measured side by
// side. Works in a new folder below FOLDER (default out), which should lie on the disk that matters, and
// removes it at the end. With --rows only those of rules and shapes are run, over N rows; without it they take 10 million.
// With --structs only that of structs, likewise; without it it takes 2 million.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "append_bench.h"
#include "crv/core/ids.h"
#include "history.h"
#include "open_bench.h"
#include "rows_bench.h"
#include "scan_bench.h"
#include "struct_bench.h"

int main(int count, char** arguments) try {
  using namespace crv::bench;
  if (count == 5 && std::string(arguments[1]) == "--append-once") {
    append_once(arguments[2], arguments[3], std::stoll(arguments[4]));
    return 0;
  }
  std::string below = "out";
  std::int64_t rows = 10'000'000;
  std::int64_t structs = 2'000'000;
  bool only_rows = false, only_structs = false;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    only_rows = only_rows || argument == "--rows";
    only_structs = only_structs || argument == "--structs";
    if (argument == "--rows" && i + 1 < count)
      rows = std::stoll(arguments[++i]);
    else if (argument == "--structs" && i + 1 < count)
      structs = std::stoll(arguments[++i]);
    else
      below = arguments[i];
  }
  const std::filesystem::path folder = std::filesystem::path(below) / crv::core::make_run_id("bench");
  crv::io::IoSettings settings;
  settings.root_dir = folder.string();
  if (!only_rows && !only_structs) {
    std::printf("Making a run of 10,000 commits and parts in %s ...\n", settings.root_dir.c_str());
    std::fflush(stdout);
    const double seconds = seconds_of([&] { extend_history(settings, "many", 0, 10'000); });
    std::printf("made in %.1f s, without fsync\n", seconds);
    bench_scan(settings);
    bench_open(settings);
    bench_append(settings, std::filesystem::read_symlink("/proc/self/exe").string());
  }
  if (!only_rows) bench_structs(structs);
  if (!only_structs) bench_rows(settings, rows);
  std::filesystem::remove_all(folder);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "crv_bench: %s\n", e.what());
  return 1;
}
