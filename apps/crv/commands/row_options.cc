#include "commands/row_options.h"

#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "output/words.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

// Why the text is no token, also not one of many steps; empty where it is one.
std::string fault_of_token(std::string& text) {
  try {
    io::check_token(io::step_of(io::parse_token(text), 0));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

void add_row_options(CLI::App& command, RowOptions& options) {
  auto* checked = command.add_flag("--validate-rows", options.validate_rows,
                                   "Check the rules of rows, too (see docs/tables.md)");
  auto* on_invalid =
      command.add_option("--on-invalid", options.on_invalid,
                         "What to do with rows that break a rule: raise refuses all rows, quarantine "
                         "puts the bad ones into the table quarantine");
  choose_from(on_invalid->needs(checked), {"raise", "quarantine"});
  command.add_flag("--create", options.create,
                   "Define tables and columns that the run does not know as the rows have them");
  command
      .add_option(
          "--token", options.token,
          "Name of these rows, e.g. night:7: where it was used before, nothing is added and the first "
          "answer is given again; numbers of one WRITER only rise")
      ->type_name("WRITER:NUMBER")
      ->check(CLI::Validator(fault_of_token, ""));
}

void apply(const RowOptions& options, io::AppendOptions& append) {
  if (!options.token.empty()) append.token = io::parse_token(options.token);
  append.validate_rows = options.validate_rows;
  append.create = options.create;
  append.on_invalid = options.on_invalid == "quarantine" ? io::OnInvalid::quarantine : io::OnInvalid::raise;
}

std::string repeated_text(const std::optional<std::int64_t>& repeated, std::int64_t commits) {
  if (repeated.value_or(0) == 0) return "";
  return *repeated == commits ? "; the token named all of it before, so nothing was added"
                              : "; the token named " + count_of(*repeated, "commit", "commits") +
                                    " of it before, which were not added again";
}

std::string defined_text(const std::vector<std::string>& defined) {
  std::string text;
  for (const std::string& column : defined) text += (text.empty() ? "; defined " : ", ") + printable(column);
  return text;
}

std::string quarantined_text(const std::optional<std::int64_t>& rows) {
  return rows.value_or(0) == 0 ? "" : ", " + count_of(*rows, "row", "rows") + " to quarantine";
}

}  // namespace crv::cli
