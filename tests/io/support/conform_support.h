// What the tests of conform() share.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "io/conform/conform.h"

namespace crv::io {

inline std::shared_ptr<arrow::Table> table_of(
    const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), arrays);
}

// The error that `call` throws, which must be an IoSchemaError.
template <class Call>
Error refusal(const Call& call) {
  try {
    call();
  } catch (const IoSchemaError& error) {
    return error;
  }
  ADD_FAILURE() << "was accepted";
  return {ErrorCode::interrupted, "was accepted"};
}

inline Type column_type(const Conformed& result, const std::string& name) {
  for (const Field& column : result.columns) {
    if (column.name == name) return column.type;
  }
  ADD_FAILURE() << "no column " << name;
  return {};
}

}  // namespace crv::io
