// Tables of the user's own: how an append with `create`, or create_table(), makes and grows them.
#pragma once

#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "io/log/commit.h"
#include "io/run/run.h"
#include "io/run/upkeep.h"
#include "io/schema/types.h"

namespace crv::io {

// Equal, version included; or nothing both.
bool same(const Definition& a, const Definition& b);

// What a frame is conformed to: the table as it is defined, and for each other column of the frame an inferred
// one of unknown type. `held`: nullptr where the table is not defined.
Definition with_columns_of(const arrow::Table& frame, const std::string& table, const Definition& held);
// `table` with its inferred columns as wide as rows of these types need them.
Definition widened_by(const Definition& table, const Columns& rows);
// `grown` as the version after `held`; `held` itself where nothing has changed. `now`: ISO 8601.
Definition next_version(const core::TableDescriptor& grown, const Definition& held, const std::string& now);
// "energy: f64", for each column of `grown` that `held` lacks or has with another type.
std::vector<std::string> new_columns(const Definition& grown, const Definition& held);

}  // namespace crv::io
