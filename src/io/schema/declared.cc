#include "io/schema/declared.h"

#include <utility>

#include "io/schema/element_fields.h"

namespace crv::io {

namespace {

Type element_type_of(const core::ColumnRule& rule) {
  std::vector<Field> fields;
  for (const ElementField& field : element_fields_of(rule.elements))
    if (field.kind == ElementField::Kind::text)
      fields.push_back({field.name, core::plain_type(Type::Kind::str)});
  return struct_of(std::move(fields));
}

}  // namespace

Type declared_types(const core::TableDescriptor& table) {
  std::vector<Field> columns;
  for (const core::ColumnDescriptor& column : table.columns) {
    const bool has_model = column.type.kind == Type::Kind::list && !column.rule.elements.empty();
    if (has_model)
      columns.push_back({column.name, list_of(element_type_of(column.rule))});
    else if (is_scalar(column.type))
      columns.push_back({column.name, column.type});
  }
  return struct_of(std::move(columns));
}

}  // namespace crv::io
