// Parts whose bytes were found to be those that were written. A part never changes, so once is enough.
#pragma once

#include <string>
#include <unordered_set>

#include "io/base/guarded.h"

namespace crv::io {

// Safe for several threads.
class SoundParts {
 public:
  bool holds(const std::string& path) { return paths_.hold()->contains(path); }
  void add(const std::string& path) { paths_.hold()->insert(path); }

 private:
  Guarded<std::unordered_set<std::string>> paths_;
};

}  // namespace crv::io
