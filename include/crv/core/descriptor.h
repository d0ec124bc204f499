// Tables as values: their columns, with types and rules. The canonical ones come from catalog/tables.toml;
// those of the user's own are made at run time (definition.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crv/core/types.h"
#include "crv/core/versioning.h"

namespace crv::core {

// What the values of a column must satisfy besides its type. A null always passes.
struct ColumnRule {
  bool finite = false;                 // no NaN, no infinity
  bool not_empty = false;              // text
  std::vector<std::string> allowed{};  // must be one of these; empty: any text
  std::optional<double> min{}, max{};  // ends included
  std::string elements{};              // each element of the list must be as this model of rows.h says
  bool unique = false;                 // no value twice within one append
  // Elements that each list must have. The only rule that is checked whatever the append asks for.
  std::optional<std::int64_t> length{};

  bool operator==(const ColumnRule&) const = default;
};

struct ColumnDescriptor {
  std::string name;
  Type type;
  bool required = false;  // must be given and hold no null
  std::string doc{};
  ColumnRule rule{};
  std::string unit{};     // of the values, for people: "m/s"
  bool inferred = false;  // made from rows, nobody declared it: its type widens with later ones

  bool operator==(const ColumnDescriptor&) const = default;
};

struct TableDescriptor {
  std::string name;
  std::vector<ColumnDescriptor> columns;  // in order; bucket and tick are the first two
  SchemaVersion version;
  std::string doc{};
  // the required columns, in the order in which the contract lists them
  std::vector<std::string> required_order{};

  const ColumnDescriptor* find(std::string_view column) const noexcept;  // nullptr where there is none
};

// The canonical tables, in registry order. The references live as long as the program.
const std::vector<TableDescriptor>& list_tables();
// nullptr where no canonical table has that name.
const TableDescriptor* find_table(std::string_view name) noexcept;

// Tables that crv fills itself: a run may hold them and they are read as any other, but nobody appends to
// them.
const std::vector<TableDescriptor>& list_internal_tables();
// Any built-in table, canonical or internal; nullptr where there is none of that name.
const TableDescriptor* find_stored_table(std::string_view name) noexcept;

}  // namespace crv::core
