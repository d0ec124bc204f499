// The model rules and column rules of a table, checked over Arrow columns.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"
#include "io/base/parallel.h"
#include "io/rules/broken_rules.h"

namespace crv::io {

struct CheckedRows {
  BrokenRules broken;  // in the order of the table's columns; what spans columns comes last
  // Where no rule is broken: the table with what the models lower in lower case. It shares all columns in
  // which nothing changes.
  std::shared_ptr<arrow::Table> table;
};

// `table` holds columns as conform() makes them; those of no descriptor are not looked at. `keep_all`: every
// row that breaks a rule is listed, else the first few of each rule.
CheckedRows check_rows(const std::shared_ptr<arrow::Table>& table, const core::TableDescriptor& descriptor,
                       bool keep_all, std::size_t threads = cores());

}  // namespace crv::io
