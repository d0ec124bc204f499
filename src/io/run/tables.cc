#include "io/run/tables.h"

#include "crv/core/suggest.h"

namespace crv::io {

namespace {

// Canonical tables live as long as the program.
Table shared(const core::TableDescriptor* table) {
  return {Table(), table};
}

}  // namespace

Table Tables::find(std::string_view name) const {
  return shared(core::find_stored_table(name));
}

Table Tables::require(std::string_view name, ErrorCode code) const {
  if (Table table = find(name)) return table;
  refuse(name, code);
}

Table Tables::require_open(std::string_view name) const {
  if (Table table = shared(core::find_table(name))) return table;
  refuse(name, ErrorCode::unknown_table);
}

void Tables::refuse(std::string_view name, ErrorCode code) const {
  const std::string text(name);
  raise(code, core::no_such_table(name), {.run_id = run_id_, .table = text, .value = text});
}

}  // namespace crv::io
