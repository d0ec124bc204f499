// Row models run over a frame.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"

namespace crv::io {

// Makes the struct of every row and runs its validate(). `table` holds columns as conform() makes them.
// Returns it with what validate() normalised (side, visibility_scope) in place. A table that has no row model
// passes as it is. Throws IoSchemaError (row_rule) with column, row and value of the first row that breaks a
// rule.
std::shared_ptr<arrow::Table> apply_row_rules(const std::shared_ptr<arrow::Table>& table,
                                              const core::TableDescriptor& descriptor);

}  // namespace crv::io
