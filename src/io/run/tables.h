// Which tables a run has or can hold: the built-in ones, and those of the user's own that it has definitions
// of. The one place that knows, and that says so where there is no such table.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crv/core/descriptor.h"
#include "crv/core/error.h"
#include "io/base/guarded.h"
#include "io/run/run_location.h"
#include "io/run/snapshot.h"

namespace crv::io {

// A table as a run knows it. Never changes.
using Table = std::shared_ptr<const core::TableDescriptor>;

// Looks each time at what the run holds now, so the run must have been opened and the snapshot must not be held.
// Safe for several threads.
class Tables {
 public:
  Tables(RunLocation& location, Guarded<Snapshot>& snapshot) : location_(location), snapshot_(snapshot) {}

  // nullptr where there is none of that name. Those that crv fills itself count, too.
  Table find(std::string_view name);
  // Throws `code` (unknown_table or unknown_table_in_scan), with the names that are near; table_missing where a
  // table of the user's own has lost its manifest.
  Table require(std::string_view name, ErrorCode code);
  // Of those that callers append to; else unknown_table.
  Table require_open(std::string_view name);
  [[noreturn]] void refuse(std::string_view name, ErrorCode code);

 private:
  void refuse_lost(const std::string& name);
  std::vector<std::string> own_names();

  RunLocation& location_;
  Guarded<Snapshot>& snapshot_;
};

}  // namespace crv::io
