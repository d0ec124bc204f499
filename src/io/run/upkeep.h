// What keeps reading quick and is never needed for correctness: fresh manifests and a folded log. The long
// pieces go to the executor, one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/base/guarded.h"
#include "io/base/job_queue.h"
#include "io/run/run.h"

namespace crv::io {

// Of the Dataset, beside its run, which must outlive it. Safe for several threads.
class Upkeep {
 public:
  explicit Upkeep(Run& run) : run_(run), jobs_(run.executor()) {}
  ~Upkeep() { drain(); }
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  // After a commit of this Dataset: refreshes what is due, folds what is whole. The commit is durable, so
  // what fails here is a warning.
  void after_commit(std::int64_t seq, const std::vector<std::string>& tables) noexcept;
  // Writes the manifest of a table as of now, unless a newer one is there, or it lists parts of the older
  // package that no commit has adopted.
  void refresh(const std::string& table);
  // The same; what fails is a warning.
  void refresh_after_commit(const std::string& table) noexcept;
  // Sees to it that nothing of what the executor was given is left to do.
  void drain() { jobs_.drain(); }
  // The same, then refreshes the small tables that this Dataset wrote. What fails is a warning.
  void finish() noexcept;

 private:
  struct Freshness {
    std::int64_t refreshed_us = 0;
    bool dirty = false;
  };
  bool due(const std::string& table, std::int64_t seq, bool* large);
  void upkeep_of(std::int64_t seq, const std::vector<std::string>& tables);
  std::vector<std::string> quiet_tables(std::int64_t seq);
  void fold_later(const std::shared_ptr<const FoundRun>& run, FoldRange range);
  void refresh_later(const std::string& table);
  void attempt(const std::string& name, const std::function<void()>& job) noexcept;

  Run& run_;
  Guarded<std::map<std::string, Freshness>> freshness_;  // by table
  JobQueue jobs_;
};

}  // namespace crv::io
