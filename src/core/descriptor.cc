#include "crv/core/descriptor.h"

#include <algorithm>

namespace crv::core {

const ColumnDescriptor* TableDescriptor::find(std::string_view column) const noexcept {
  const auto found = std::ranges::find(columns, column, &ColumnDescriptor::name);
  return found == columns.end() ? nullptr : &*found;
}

namespace {

const TableDescriptor* find_in(const std::vector<TableDescriptor>& tables, std::string_view name) noexcept {
  const auto found = std::ranges::find(tables, name, &TableDescriptor::name);
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace

const TableDescriptor* find_table(std::string_view name) noexcept {
  return find_in(list_tables(), name);
}

const TableDescriptor* find_stored_table(std::string_view name) noexcept {
  const TableDescriptor* canonical = find_table(name);
  return canonical != nullptr ? canonical : find_in(list_internal_tables(), name);
}

}  // namespace crv::core
