#include "io/run/run_location.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/base/clock.h"
#include "io/base/executor.h"
#include "io/base/os.h"
#include "io/storage/local_storage.h"

namespace crv::io {

RunLocation::RunLocation(IoSettings given_settings, std::string id, DatasetOptions options)
    : settings(std::move(given_settings)), run_id(std::move(id)), options_(std::move(options)) {
  if (!options_.now_us) options_.now_us = system_now_us;
  if (!options_.new_id) options_.new_id = random_id;
  if (!options_.executor) options_.executor = std::make_shared<ThreadExecutor>();
  // Made here, since it takes relative paths from what is the working folder now.
  if (options_.working_folder.empty()) options_.working_folder = posix_os()->working_folder();
  storages_.push_back(options_.storage ? options_.storage
                                       : local_storage(settings.durability, posix_os(), options_.new_id,
                                                       options_.working_folder));
  active_ = storages_.back().get();
}

void RunLocation::prepare() {
  prepared_.run([&] {
    check_settings(settings);
    paths_.emplace(settings.root_dir, run_id);
    writer_id_ = new_id();
  });
}

void RunLocation::look() {
  if (info()) return;
  std::optional<std::string> text = read_all(storage(), paths_->run_json());
  if (!text) return;
  const RunInfo info = decode_run(*text, paths_->run_json(), run_id);
  know(info, *std::move(text));
}

// The log's folder is held open from here on, so that a commit can only go to the log that was found, even
// where its folder is moved or another is put in its place.
void RunLocation::know(const RunInfo& info, std::string text) {
  std::lock_guard held(mutex_);
  if (found_) return;
  if (info.durability == Durability::commit) upgrade_storage();
  found_ =
      std::make_shared<FoundRun>(info, std::move(text), storage().hold(paths_->log()), storage(), *paths_);
}

bool RunLocation::forget() {
  std::lock_guard held(mutex_);
  return std::exchange(found_, nullptr) != nullptr;
}

// Under mutex_. The storage that was active so far stays: scans and other threads may be using it.
void RunLocation::upgrade_storage() {
  if (settings.durability == Durability::commit || options_.storage || storages_.size() > 1) return;
  storages_.push_back(
      local_storage(Durability::commit, posix_os(), options_.new_id, options_.working_folder));
  active_ = storages_.back().get();
}

void RunLocation::use_durable_storage() {
  std::lock_guard held(mutex_);
  upgrade_storage();
}

std::shared_ptr<Storage> RunLocation::shared_storage() const {
  std::lock_guard held(mutex_);
  return storages_.back();
}

std::shared_ptr<FoundRun> RunLocation::found() const {
  std::lock_guard held(mutex_);
  return found_;
}

std::shared_ptr<Log> RunLocation::log() const {
  const std::shared_ptr<FoundRun> run = found();
  return run ? std::shared_ptr<Log>(run, &run->log) : nullptr;
}

std::shared_ptr<Log> RunLocation::require_log() const {
  if (std::shared_ptr<Log> there = log()) return there;
  refuse_replaced("its folder is gone");
}

std::optional<RunInfo> RunLocation::info() const {
  const std::shared_ptr<FoundRun> run = found();
  return run ? std::optional(run->info) : std::nullopt;
}

std::int64_t RunLocation::bucket_size() const {
  const std::shared_ptr<FoundRun> run = found();
  return run ? run->info.tick_bucket_size : settings.tick_bucket_size;
}

RunLocation::Standing RunLocation::standing_of(const FoundRun& run) {
  const std::optional<std::string> text = read_all(storage(), paths_->run_json());
  const bool log_in_place = run.folder ? run.folder->is_in_place() : !storage().exists(paths_->log());
  if (text && *text == run.text && log_in_place) return Standing::same;
  return text || storage().exists(paths_->log()) ? Standing::another : Standing::gone;
}

void RunLocation::refuse_replaced(const std::string& why) const {
  raise(ErrorCode::run_replaced,
        "Run " + run_id + " (" + paths_->run() + ") is not the one that this Dataset has opened: " + why +
            ". Open the run again.",
        {.run_id = run_id, .path = paths_->run()});
}

std::vector<std::string> RunLocation::table_names() {
  std::vector<std::string> names;
  for (const Entry& entry : storage().list(paths_->tables()))
    if (entry.is_folder && core::is_table_name(entry.name) && storage().exists(paths_->manifest(entry.name)))
      names.push_back(entry.name);
  return names;
}

std::optional<std::string> RunLocation::any_bucket(std::string_view table) {
  const std::string folder = paths_->table(table);
  for (const Entry& entry : storage().list(folder))
    if (parse_bucket_folder(entry.name)) return join(folder, entry.name);
  return std::nullopt;
}

// Whether it was put is no question of a commit, even where the disk leaves that open.
void RunLocation::put_once(const std::string& path, const std::string& text) {
  try {
    storage().put_if_absent(path, text);
  } catch (const IoCommitUnknownError& e) {
    raise(ErrorCode::write_failed, e.what(), e.facts());
  }
}

std::size_t RunLocation::threads() const {
  return std::clamp<std::size_t>(options_.executor->threads(), 1, 1024);
}

std::string RunLocation::now() {
  return iso_time(now_us());
}

void RunLocation::warn(const std::string& text) noexcept {
  try {
    if (options_.on_warning)
      options_.on_warning(text);
    else
      std::cerr << "crv: " + text + "\n";
  } catch (...) {  // what is warned of has happened, and no caller can undo it
    std::fputs("crv: ", stderr);
    std::fputs(text.c_str(), stderr);
    std::fputs("\n", stderr);
  }
}

}  // namespace crv::io
