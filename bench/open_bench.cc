// What it costs to open a run and to plan a scan: with a fresh manifest, with one of ten times the parts, and
// with one that is behind.
#include "open_bench.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "crv/core/ids.h"
#include "history.h"
#include "io/log/manifest_file.h"
#include "io/storage/local_storage.h"
#include "io/storage/paths.h"

namespace crv::bench {
namespace {

constexpr int kTurns = 15;
constexpr std::int64_t kBehind = 200;  // commits, none of them folded

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// The manifest with as many parts more as make it `parts`: planning opens none of them.
std::string larger(const std::string& text, const std::string& path, std::int64_t parts) {
  io::TableState state = io::decode_manifest(text, "holdings", path);
  const io::PartRecord like = state.buckets().begin()->second.front();
  for (std::int64_t i = state.parts(); i < parts; ++i) {
    io::PartRecord part = like;
    part.bucket = i / 100;
    part.meta.tick_min = part.meta.tick_max = i;
    part.meta.path = io::part_file(io::random_id());
    state.add(part);
  }
  return io::encode_manifest(state);
}

// Reads a file and nothing else: what an opening cannot do without.
void read_bytes(const std::string& path) {
  static std::array<char, 65536> piece;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  std::setvbuf(file, nullptr, _IONBF, 0);
  while (std::fread(piece.data(), 1, piece.size(), file) == piece.size()) continue;
  std::fclose(file);
}

struct Cost {
  std::vector<double> reading_ms, opening_ms;
};

void open_once(const io::IoSettings& settings, const std::string& manifest, Cost& cost) {
  cost.reading_ms.push_back(1000 * seconds_of([&] { read_bytes(manifest); }));
  cost.opening_ms.push_back(1000 * seconds_of([&] { io::Dataset(settings, "many").scan("holdings"); }));
}

void print(const char* what, const Cost& cost) {
  const double reading = median(cost.reading_ms), opening = median(cost.opening_ms);
  std::printf("  %-46s %8.2f ms %8.2f ms   x %.1f\n", what, reading, opening, opening / reading);
}

}  // namespace

void bench_open(const io::IoSettings& settings) {
  const std::string path = io::RunPaths(settings.root_dir, "many").manifest("holdings");
  io::Dataset(settings, "many").refresh_manifests();
  const std::string fresh = text_of(path);
  Cost small, large, late;
  for (int turn = 0; turn < kTurns; ++turn) open_once(settings, path, small);
  write(path, larger(fresh, path, 100'000));
  for (int turn = 0; turn < kTurns; ++turn) open_once(settings, path, large);
  write(path, fresh);
  extend_history(settings, "many", 10'000, 10'000 + kBehind);
  const std::string newer = text_of(path);
  write(path, fresh);
  for (int turn = 0; turn < kTurns; ++turn) open_once(settings, path, late);
  write(path, newer);
  std::printf("\nOpening a run and planning a scan; files cached by the system, medians of %d\n", kTurns);
  std::printf("  %-46s %11s %11s   ratio\n", "with a manifest", "its bytes", "crv");
  print("of 10,000 parts, fresh", small);
  print("of 100,000 parts, fresh", large);
  print("of 10,000 parts, 200 commits behind", late);
  std::printf("  a commit after the manifest: %.1f us\n",
              1000 * (median(late.opening_ms) - median(small.opening_ms)) / static_cast<double>(kBehind));
}

}  // namespace crv::bench
