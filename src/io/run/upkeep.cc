#include "io/run/upkeep.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "crv/core/error.h"
#include "io/log/manifest_file.h"
#include "io/run/run.h"

namespace crv::io {
namespace {

constexpr std::int64_t small_parts = 1000;  // a manifest of so many parts is written within milliseconds
constexpr std::int64_t small_interval_us = 1'000'000;
// Whoever opens a run reads all commits after the manifest, at some 10 us each; a refresh costs some 1 us a
// part and, off the appends' way, writes some 350 bytes a part.
constexpr std::int64_t parts_a_commit = 32;
constexpr std::int64_t least_commits = 16;    // a refresh costs about as much as two commits
constexpr std::int64_t quiet_commits = 1024;  // what a reader of a quiet table may have to read

}  // namespace

Upkeep::~Upkeep() {
  {
    std::lock_guard held(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Upkeep::due(const std::string& table, std::int64_t seq, bool* large) {
  std::int64_t parts = 0, lag = 0;
  {
    auto lock = run_.lock();
    TableState* state = run_.known_table(lock, table);
    if (!state) return false;
    parts = state->parts();
    lag = seq - std::max<std::int64_t>(state->manifest_position, 0);
  }
  *large = parts > small_parts;
  std::lock_guard held(mutex_);
  Freshness& fresh = freshness_[table];
  bool first = fresh.refreshed_us == 0;
  fresh.dirty = true;
  std::int64_t now = run_.now_us();
  std::int64_t at_most =
      run_.settings.write_manifest_every_n > 1 ? run_.settings.write_manifest_every_n : lag + 1;
  bool yes = lag >= std::max(least_commits, parts / parts_a_commit) || lag >= at_most ||
             (!*large && (first || now - fresh.refreshed_us >= small_interval_us));
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
    const std::string name = "manifest of table " + table;
    const auto job = [this, table] { refresh(table); };
    large ? later(name, job) : attempt(name, job);
  }
  const std::shared_ptr<Log> log = run_.log();
  if (!log) return;
  FoldRange range = log->range_of(seq);
  std::vector<std::string> quiet;
  if (seq == range.last) {
    fold_later(range);
    auto lock = run_.lock();
    for (const std::string& name : run_.known_tables(lock)) {
      TableState* state = run_.known_table(lock, name);
      if (seq - state->manifest_position >= std::max(quiet_commits, state->parts())) quiet.push_back(name);
    }
  } else if (seq == range.first && seq > 1) {
    fold_later(log->range_of(seq - 1));  // whoever was to fold it may be gone
  }
  for (const std::string& name : quiet) later("manifest of table " + name, [this, name] { refresh(name); });
}

void Upkeep::refresh(const std::string& table) {
  // a copy: the text of a large one takes longer than appends should wait
  std::optional<TableState> snapshot;
  std::shared_ptr<const FoundRun> run;
  {
    auto lock = run_.lock();
    run = run_.current();
    TableState* state = run_.table(lock, table);
    if (!state) return;
    state->load_parts();
    if (state->manifest_position < 0 && !Run::unadopted_parts(*state).empty()) return;
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
    auto lock = run_.lock();
    if (TableState* state = run_.current() == run ? run_.known_table(lock, table) : nullptr)
      state->manifest_position = std::max(state->manifest_position, position);
  }
  std::lock_guard held(mutex_);
  Freshness& fresh = freshness_[table];
  fresh.dirty = false;
  fresh.refreshed_us = run_.now_us();
}

void Upkeep::refresh_after_commit(const std::string& table) noexcept {
  attempt("manifest of table " + table, [&] { refresh(table); });
}

void Upkeep::drain() {
  std::unique_lock held(mutex_);
  if (thread_.get_id() == std::this_thread::get_id()) return;  // a warning's handler has called
  idle_.wait(held, [&] { return jobs_.empty() && !busy_; });
}

void Upkeep::finish() noexcept {
  try {
    drain();
    std::vector<std::string> dirty;
    {
      std::lock_guard held(mutex_);
      for (const auto& [table, fresh] : freshness_)
        if (fresh.dirty) dirty.push_back(table);
    }
    for (const std::string& table : dirty) {
      bool small = false;
      {
        auto lock = run_.lock();
        TableState* state = run_.known_table(lock, table);
        small = state && state->parts() <= small_parts && state->manifest_position < state->position;
      }
      if (small) attempt("manifest of table " + table, [&] { refresh(table); });
    }
  } catch (const std::exception& e) {
    run_.warn(std::string("A manifest could not be refreshed: ") + e.what());
  }
}

void Upkeep::fold_later(FoldRange range) {
  later("fold of the log up to commit " + std::to_string(range.last),
        [this, range, run = run_.current(), log = run_.log()] {
          run_.require_in_place(run);
          log->fold(range, [&] { run_.sync_log(*log); });
        });
}

// Where no thread can be made, it is done here and now.
void Upkeep::later(const std::string& name, const std::function<void()>& job) {
  if (!enqueue(name, job)) attempt(name, job);
}

bool Upkeep::enqueue(const std::string& name, const std::function<void()>& job) {
  {
    std::lock_guard held(mutex_);
    if (std::any_of(jobs_.begin(), jobs_.end(), [&](auto& j) { return j.first == name; })) return true;
    if (!thread_.joinable()) try {
        thread_ = std::thread([this] { work(); });
      } catch (const std::system_error&) {
        return false;
      }
    jobs_.emplace_back(name, job);
  }
  wake_.notify_one();
  return true;
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

void Upkeep::work() {
  std::unique_lock held(mutex_);
  while (true) {
    wake_.wait(held, [&] { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto [name, job] = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    held.unlock();
    attempt(name, job);
    held.lock();
    busy_ = false;
    if (jobs_.empty()) idle_.notify_all();
  }
}

}  // namespace crv::io
