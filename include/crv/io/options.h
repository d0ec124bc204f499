// What a Dataset is made with, beside its settings.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "crv/io/executor.h"

namespace crv::io {

class Storage;

// Replaceable parts of the world, so that a test can make the same bytes twice. Empty members are the real
// thing.
struct DatasetOptions {
  std::function<std::int64_t()> now_us;  // microseconds since 1970, UTC
  std::function<std::string()> new_id;   // 32 lower-case hex digits, never the same twice
  std::shared_ptr<Storage> storage;      // the local disk
  std::shared_ptr<Executor> executor;    // a thread for the background, a thread a core for a call
  // Absolute: a relative root_dir starts here. Empty: from the process's working folder when the Dataset is
  // made. Paths in results are relative all the same.
  std::string working_folder;
  // Told of what went wrong without harm to any append, e.g. a manifest that could not be refreshed. May be
  // called from a background thread. Without it such texts go to standard error.
  std::function<void(const std::string&)> on_warning;
};

// For long work: units done so far and in all. Called from the calling thread; throwing from it ends the
// work.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

}  // namespace crv::io
