#include "io/run/tables.h"

#include "crv/core/definition.h"
#include "crv/core/suggest.h"

namespace crv::io {
namespace {

// Built-in tables live as long as the program.
Table shared(const core::TableDescriptor* table) {
  return {Table(), table};
}

}  // namespace

Table Tables::find(std::string_view name) {
  if (const auto* built_in = core::find_stored_table(name)) return shared(built_in);
  if (!core::is_table_name(name)) return nullptr;
  const auto snapshot = snapshot_.hold();
  const TableState* state = snapshot->table(name);
  return state ? state->definition : nullptr;
}

Table Tables::require(std::string_view name, ErrorCode code) {
  if (Table table = find(name)) return table;
  refuse(name, code);
}

Table Tables::require_open(std::string_view name) {
  if (core::find_table(name) || !core::find_stored_table(name))
    if (Table table = find(name)) return table;
  refuse(name, ErrorCode::unknown_table);
}

void Tables::refuse(std::string_view name, ErrorCode code) {
  const std::string text(name);
  if (core::is_table_name(name)) refuse_lost(text);
  raise(code, core::no_such_table(name, own_names()),
        {.run_id = location_.run_id, .table = text, .value = text});
}

// Rows were written to a table that nothing defines any more: not a slip of who asks for it.
void Tables::refuse_lost(const std::string& name) {
  const std::string manifest = location_.paths().manifest(name);
  if (location_.storage().exists(manifest) || !location_.any_bucket(name)) return;
  raise(ErrorCode::table_missing,
        "Table " + name + " of run " + location_.run_id + " has lost its manifest (" + manifest +
            "), though rows were written to it. Rebuild it.",
        {.run_id = location_.run_id, .table = name, .path = manifest});
}

// For a message: what cannot be read is not in it.
std::vector<std::string> Tables::own_names() {
  std::vector<std::string> names;
  try {
    const auto snapshot = snapshot_.hold();
    for (const TableState* state : snapshot->all_tables())
      if (state->definition) names.push_back(state->table);
  } catch (const Error&) {
    return {};
  }
  return names;
}

}  // namespace crv::io
