// Folders that survive a power cut, with all that holds them.
#pragma once

#include <set>
#include <string>

#include "io/base/guarded.h"
#include "io/storage/storage.h"

namespace crv::io {

// Another writer may have made a folder and not synced it yet, so each Dataset syncs every folder once, from
// there up, before it relies on it. Safe for several threads.
class TrustedFolders {
 public:
  // Syncs where that was not done before.
  void trust(const std::string& folder, Storage& storage) {
    if (holds(folder)) return;
    storage.sync_up(folder, "");
    add(folder);
  }
  bool holds(const std::string& folder) { return folders_.hold()->contains(folder); }
  void add(const std::string& folder) { folders_.hold()->insert(folder); }  // the caller has synced it
  void clear() { folders_.hold()->clear(); }

 private:
  Guarded<std::set<std::string>> folders_;
};

}  // namespace crv::io
