#include "io/declared.h"

#include <algorithm>
#include <utility>

#include "crv/core/rules.h"
#include "io/element_fields.h"

namespace crv::io {

namespace {

Type plain(Type::Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type elements_of(const core::ColumnRule& rule) {
  std::vector<Field> fields;
  for (const ElementField& field : element_fields_of(rule.elements)) {
    if (field.kind == ElementField::Kind::text) fields.push_back({field.name, plain(Type::Kind::str)});
  }
  return struct_of(std::move(fields));
}

}  // namespace

Type declared_types(const core::TableDescriptor& table) {
  const core::ColumnRules* rules = core::find_column_rules(table.name);
  std::vector<Field> columns;
  for (const core::ColumnDescriptor& column : table.columns) {
    const core::ColumnRule* rule = rules == nullptr ? nullptr : rules->find(column.name);
    switch (column.dtype) {
      case core::DType::i64:
        columns.push_back({column.name, plain(Type::Kind::i64)});
        break;
      case core::DType::f64:
        columns.push_back({column.name, plain(Type::Kind::f64)});
        break;
      case core::DType::str:
        columns.push_back({column.name, plain(Type::Kind::str)});
        break;
      case core::DType::list_of_structures:
        if (rule != nullptr && !rule->elements.empty())
          columns.push_back({column.name, list_of(elements_of(*rule))});
        break;
      case core::DType::structure:
        break;
    }
  }
  return struct_of(std::move(columns));
}

const Type* declared_field(const Type* type, std::string_view name) {
  if (type == nullptr || type->kind != Type::Kind::structure) return nullptr;
  const auto found = std::ranges::find(type->fields, name, &Field::name);
  return found == type->fields.end() ? nullptr : &found->type;
}

const Type* declared_elements(const Type* type) {
  return type == nullptr || type->kind != Type::Kind::list ? nullptr : &type->fields.at(0).type;
}

}  // namespace crv::io
