// Tables as values: their columns and rules. The canonical ones come from catalog/tables.toml.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crv/core/versioning.h"

namespace crv::core {

enum class DType { i64, f64, str, structure, list_of_structures };

// "i64", "f64", "str", "struct", "list[struct]".
std::string_view text_of(DType dtype) noexcept;

struct ColumnDescriptor {
  std::string name;
  DType dtype = DType::i64;
  bool required = false;  // must be given and hold no null
  std::string doc;
};

struct TableDescriptor {
  std::string name;
  std::vector<ColumnDescriptor> columns;  // in order; bucket and tick are the first two
  SchemaVersion version;
  std::string doc;
  // the required columns, in the order in which the contract lists them
  std::vector<std::string> required_order;

  const ColumnDescriptor* find(std::string_view column) const noexcept;  // nullptr where there is none
};

// The canonical tables, in registry order. The references live as long as the program.
const std::vector<TableDescriptor>& list_tables();
// nullptr where no canonical table has that name.
const TableDescriptor* find_table(std::string_view name) noexcept;

// Tables that crv fills itself: a run may hold them and they are read as any other, but nobody appends to
// them.
const std::vector<TableDescriptor>& list_internal_tables();
// Any table that a run may hold, canonical or internal; nullptr where there is none of that name.
const TableDescriptor* find_stored_table(std::string_view name) noexcept;

}  // namespace crv::core
