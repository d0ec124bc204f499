#include "crv/core/descriptor.h"

#include <algorithm>

namespace crv::core {

std::string_view text_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::i64:
      return "i64";
    case DType::f64:
      return "f64";
    case DType::str:
      return "str";
    case DType::structure:
      return "struct";
    case DType::list_of_structures:
      return "list[struct]";
  }
  return "unknown";
}

const ColumnDescriptor* TableDescriptor::find(std::string_view column) const noexcept {
  const auto found = std::ranges::find(columns, column, &ColumnDescriptor::name);
  return found == columns.end() ? nullptr : &*found;
}

const TableDescriptor* find_table(std::string_view name) noexcept {
  const auto found = std::ranges::find(list_tables(), name, &TableDescriptor::name);
  return found == list_tables().end() ? nullptr : &*found;
}

}  // namespace crv::core
