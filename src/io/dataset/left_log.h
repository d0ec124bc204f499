// A log read without trust: every commit in it that can be read by itself, whatever is damaged or missing
// beside it. For rebuild; everybody else reads the log in order (log.h) and stops at damage.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/log/commit.h"
#include "io/storage/paths.h"
#include "io/storage/storage.h"

namespace crv::io {

struct LeftLog {
  std::map<std::int64_t, Commit> commits;  // by number, fences left out
  std::map<std::int64_t, Commit> fences;
  // What the last lines of folds tell.
  TokenTable tokens;
  GoneTable gone;
  DefinitionTable definitions;
  std::int64_t highest = 0;          // number that a file names, readable or not, fences left out
  std::vector<std::string> damaged;  // paths
  std::vector<FoldRange> folds;

  bool is_fenced() const { return !fences.empty(); }
  bool is_empty() const { return highest == 0; }
  // The id of commit `seq`, where it or the one after it can be read; "" where neither tells.
  std::string id_of(std::int64_t seq) const;
};

// Throws IoReadError where the disk fails, and format_too_new: neither is damage.
LeftLog read_left_log(Storage& storage, const RunPaths& paths);

}  // namespace crv::io
