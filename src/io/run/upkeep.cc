#include "io/run/upkeep.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crv/core/error.h"
#include "io/log/manifest_file.h"

namespace crv::io {
namespace {

constexpr std::int64_t kSmallParts = 1000;  // a manifest of so many parts is written within milliseconds
constexpr std::int64_t kSmallIntervalUs = 1'000'000;
// Whoever opens a run reads all commits after the manifest, at some 10 us each; a refresh costs some 1 us a
// part and, off the appends' way, writes some 350 bytes a part.
constexpr std::int64_t kPartsACommit = 32;
constexpr std::int64_t kLeastCommits = 16;    // a refresh costs about as much as two commits
constexpr std::int64_t kQuietCommits = 1024;  // what a reader of a quiet table may have to read

}  // namespace

bool Upkeep::due(const std::string& table, std::int64_t seq, bool* large) {
  std::int64_t parts = 0, lag = 0;
  {
    const auto snapshot = run_.snapshot();
    const TableState* state = snapshot->known_table(table);
    if (!state) return false;
    parts = state->parts();
    lag = seq - std::max<std::int64_t>(state->manifest_position, 0);
  }
  *large = parts > kSmallParts;
  const auto freshness = freshness_.hold();
  Freshness& fresh = (*freshness)[table];
  bool first = fresh.refreshed_us == 0;
  fresh.dirty = true;
  std::int64_t now = run_.now_us();
  std::int64_t at_most =
      run_.settings.write_manifest_every_n > 1 ? run_.settings.write_manifest_every_n : lag + 1;
  bool yes = lag >= std::max(kLeastCommits, parts / kPartsACommit) || lag >= at_most ||
             (!*large && (first || now - fresh.refreshed_us >= kSmallIntervalUs));
  if (yes) fresh.refreshed_us = now;
  return yes;
}

void Upkeep::after_commit(std::int64_t seq, const std::vector<std::string>& tables) noexcept {
  try {
    upkeep_of(seq, tables);
  } catch (...) {
    run_.warn("The rows are committed, but the upkeep after it could not be done.");
  }
}

void Upkeep::upkeep_of(std::int64_t seq, const std::vector<std::string>& tables) {
  for (const std::string& table : tables) {
    bool large = false;
    if (!due(table, seq, &large)) continue;
    large ? refresh_later(table) : refresh_after_commit(table);
  }
  const std::shared_ptr<const FoundRun> run = run_.current();
  if (!run) return;
  const FoldRange range = run->log.range_of(seq);
  if (seq == range.last) {
    fold_later(run, range);
    for (const std::string& table : quiet_tables(seq)) refresh_later(table);
  } else if (seq == range.first && seq > 1) {
    fold_later(run, run->log.range_of(seq - 1));  // whoever was to fold it may be gone
  }
}

// Tables that nobody has written to for long: who opens the run must not read all that the others have had.
std::vector<std::string> Upkeep::quiet_tables(std::int64_t seq) {
  std::vector<std::string> quiet;
  const auto snapshot = run_.snapshot();
  for (const std::string& name : snapshot->known_tables()) {
    const TableState* state = snapshot->known_table(name);
    if (seq - state->manifest_position >= std::max(kQuietCommits, state->parts())) quiet.push_back(name);
  }
  return quiet;
}

void Upkeep::refresh(const std::string& table) {
  // a copy: the text of a large one takes longer than appends should wait
  std::optional<TableState> snapshot;
  std::shared_ptr<const FoundRun> run;
  {
    const auto held = run_.snapshot();
    run = run_.current();
    const TableState* state = held->table(table);
    if (!state) return;
    state->load_parts();
    if (state->manifest_position < 0 && !unadopted_parts(*state).empty()) return;
    snapshot = *state;
  }
  const std::int64_t position = snapshot->position;
  const std::string text = encode_manifest(*snapshot);
  run_.sync_log();  // nothing durable may name a commit that a power cut can still take away
  std::string path = run_.paths().manifest(table);
  const std::optional<TableState> there = read_object(run_.storage(), path, [&](Reader& file) {
    return open_manifest(file, table, path, run_.bucket_size());
  });
  if (there && there->position > position) return;
  run_.require_in_place(run);
  run_.storage().replace(path, text);
  run_.storage().sync(run_.paths().table(table));
  {
    const auto held = run_.snapshot();
    if (TableState* state = run_.current() == run ? held->known_table(table) : nullptr)
      state->manifest_position = std::max(state->manifest_position, position);
  }
  const auto freshness = freshness_.hold();
  Freshness& fresh = (*freshness)[table];
  fresh.dirty = false;
  fresh.refreshed_us = run_.now_us();
}

void Upkeep::refresh_after_commit(const std::string& table) noexcept {
  attempt("manifest of table " + table, [&] { refresh(table); });
}

void Upkeep::finish() noexcept {
  try {
    drain();
    std::vector<std::string> dirty;
    {
      const auto freshness = freshness_.hold();
      for (const auto& [table, fresh] : *freshness)
        if (fresh.dirty) dirty.push_back(table);
    }
    for (const std::string& table : dirty) {
      bool small = false;
      {
        const auto snapshot = run_.snapshot();
        const TableState* state = snapshot->known_table(table);
        small = state && state->parts() <= kSmallParts && state->manifest_position < state->position;
      }
      if (small) refresh_after_commit(table);
    }
  } catch (const std::exception& e) {
    run_.warn(std::string("A manifest could not be refreshed: ") + e.what());
  }
}

void Upkeep::fold_later(const std::shared_ptr<const FoundRun>& run, FoldRange range) {
  const std::string name = "fold of the log up to commit " + std::to_string(range.last);
  jobs_.add(name, [this, name, range, run] {
    attempt(name, [&] {
      run_.require_in_place(run);
      run->log.fold(range, [&] { run_.sync_log(run->log); });
    });
  });
}

void Upkeep::refresh_later(const std::string& table) {
  jobs_.add("manifest of table " + table, [this, table] { refresh_after_commit(table); });
}

void Upkeep::attempt(const std::string& name, const std::function<void()>& job) noexcept {
  try {
    job();
  } catch (const std::exception& e) {
    run_.warn("The rows are committed, but the " + name + " could not be written: " + e.what());
  } catch (...) {
    run_.warn("The rows are committed, but the " + name + " could not be written.");
  }
}

}  // namespace crv::io
