// The options of commands that append: what to check of rows, what to do with bad ones, and the append's
// name.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "crv/io/dataset.h"

namespace crv::cli {

struct RowOptions {
  bool validate_rows = false;
  bool create = false;
  std::string on_invalid = "raise";
  std::string token;
};

// `options` must outlive the command.
void add_row_options(CLI::App& command, RowOptions& options);
void apply(const RowOptions& options, io::AppendOptions& append);

// ", 3 rows to quarantine"; empty where nothing was quarantined.
std::string quarantined_text(const std::optional<std::int64_t>& rows);
// "; defined energy: f64"; empty where nothing was.
std::string defined_text(const std::vector<std::string>& defined);
// How many of `commits` an earlier use of the token had made; empty for none.
std::string repeated_text(const std::optional<std::int64_t>& repeated, std::int64_t commits);

}  // namespace crv::cli
