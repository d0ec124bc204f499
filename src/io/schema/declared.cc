#include "io/schema/declared.h"

#include <utility>

#include "crv/core/rules.h"
#include "io/schema/element_fields.h"

namespace crv::io {

namespace {

Type plain(Type::Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type element_type_of(const core::ColumnRule& rule) {
  std::vector<Field> fields;
  for (const ElementField& field : element_fields_of(rule.elements))
    if (field.kind == ElementField::Kind::text) fields.push_back({field.name, plain(Type::Kind::str)});
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
        if (rule && !rule->elements.empty())
          columns.push_back({column.name, list_of(element_type_of(*rule))});
        break;
      case core::DType::structure:
        break;
    }
  }
  return struct_of(std::move(columns));
}

}  // namespace crv::io
