#include "row_options.h"

#include "shell.h"
#include "words.h"

namespace crv::cli {

void add_row_options(CLI::App& command, RowOptions& options) {
  auto* checked = command.add_flag("--validate-rows", options.validate_rows,
                                   "Check the rules of rows, too (see docs/tables.md)");
  auto* on_invalid =
      command.add_option("--on-invalid", options.on_invalid,
                         "What to do with rows that break a rule: raise refuses all rows, quarantine "
                         "puts the bad ones into the table quarantine");
  choose_from(on_invalid->needs(checked), {"raise", "quarantine"});
}

void apply(const RowOptions& options, io::AppendOptions& append) {
  append.validate_rows = options.validate_rows;
  append.on_invalid = options.on_invalid == "quarantine" ? io::OnInvalid::quarantine : io::OnInvalid::raise;
}

std::string quarantined_text(const std::optional<std::int64_t>& rows) {
  return rows.value_or(0) == 0 ? "" : ", " + count_of(*rows, "row", "rows") + " to quarantine";
}

}  // namespace crv::cli
