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

#include "io/log.h"

namespace crv::io {

class Run;

class Upkeep {
 public:
  explicit Upkeep(Run& run) : run_(run) {}
  ~Upkeep();

  // After a commit of this Dataset: refreshes what is due, folds what is whole.
  void after_commit(std::int64_t seq, const std::vector<std::string>& tables);
  // Writes the manifest of a table as of now, unless a newer one stands there.
  void refresh(const std::string& table);
  // Waits for what the thread has to do, refreshes the tables that this Dataset wrote (all, or only the small
  // ones).
  void finish(bool all_tables);

 private:
  struct Freshness {
    std::int64_t refreshed_us = 0;
    bool dirty = false;
  };
  bool due(const std::string& table, std::int64_t seq, bool* large);
  void fold_later(FoldRange range);
  void later(std::string name, std::function<void()> job);
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
