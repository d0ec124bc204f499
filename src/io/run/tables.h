// Which tables a run can hold: the one place that knows, and that says so where there is no such table.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "crv/core/descriptor.h"
#include "crv/core/error.h"

namespace crv::io {

// A table as a run knows it. Never changes.
using Table = std::shared_ptr<const core::TableDescriptor>;

// Safe for several threads.
class Tables {
 public:
  explicit Tables(std::string run_id) : run_id_(std::move(run_id)) {}

  // nullptr where there is none of that name. Those that crv fills itself count, too.
  Table find(std::string_view name) const;
  // Throws `code` (unknown_table or unknown_table_in_scan), with the names that are near.
  Table require(std::string_view name, ErrorCode code) const;
  // Of those that callers append to; else unknown_table.
  Table require_open(std::string_view name) const;

 private:
  [[noreturn]] void refuse(std::string_view name, ErrorCode code) const;

  std::string run_id_;
};

}  // namespace crv::io
