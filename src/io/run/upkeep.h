// What keeps reading quick and is never needed for correctness: fresh manifests and a folded log. A thread of
// its own does the long pieces; it starts with the first of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io/log/log.h"

namespace crv::io {

class Run;

class Upkeep {
 public:
  explicit Upkeep(Run& run) : run_(run) {}
  ~Upkeep();

  // After a commit of this Dataset: refreshes what is due, folds what is whole. The commit is durable, so
  // what fails here is a warning.
  void after_commit(std::int64_t seq, const std::vector<std::string>& tables) noexcept;
  // Writes the manifest of a table as of now, unless a newer one is there, or it lists parts of the older
  // package that no commit has adopted.
  void refresh(const std::string& table);
  // The same; what fails is a warning.
  void refresh_after_commit(const std::string& table) noexcept;
  // Waits for what the thread has to do.
  void drain();
  // The same, then refreshes the small tables that this Dataset wrote. What fails is a warning.
  void finish() noexcept;

 private:
  struct Freshness {
    std::int64_t refreshed_us = 0;
    bool dirty = false;
  };
  bool due(const std::string& table, std::int64_t seq, bool* large);
  void upkeep_of(std::int64_t seq, const std::vector<std::string>& tables);
  void fold_later(FoldRange range);
  void later(const std::string& name, const std::function<void()>& job);
  bool enqueue(const std::string& name, const std::function<void()>& job);
  void attempt(const std::string& name, const std::function<void()>& job) noexcept;
  void work();

  Run& run_;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::map<std::string, Freshness> freshness_;
  std::deque<std::pair<std::string, std::function<void()>>> jobs_;
  bool busy_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace crv::io
