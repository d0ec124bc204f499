// Rules that rows of a frame break, gathered over the whole frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "crv/core/error.h"

namespace crv::io {

inline constexpr std::size_t kShownRows = 5;  // of each rule, in an error

// One rule and the rows that break it.
struct BrokenRule {
  ErrorCode code = ErrorCode::row_rule;
  std::string rule, column, reason;
  std::int64_t count = 0;           // rows
  std::vector<std::int64_t> rows;   // ascending: all of them, or the first kShownRows
  std::vector<std::string> values;  // of the first kShownRows

  // Rows must come in ascending order; one that comes twice counts once.
  void add(std::int64_t row, bool keep_all) {
    if (row == last_) return;
    last_ = row;
    ++count;
    if (keep_all || rows.size() < kShownRows) rows.push_back(row);
  }

 private:
  std::int64_t last_ = -1;
};

using BrokenRules = std::vector<BrokenRule>;  // in the order of the table's columns

// Throws one IoSchemaError for all of them, of which there must be one at least: its facts are those of the
// first, and it carries all as violations. Its code is the one that they share, else row_rule.
[[noreturn]] void raise_broken(const std::string& table, const BrokenRules& rules);

}  // namespace crv::io
