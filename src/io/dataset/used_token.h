// Tokens: whether an append was committed before, by its name.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "crv/io/token.h"
#include "io/log/commit.h"
#include "io/run/run.h"

namespace crv::io {

// Rows that an append gives to each table that gets any.
using RowCounts = std::map<std::string, std::int64_t>;

// The commit of the append that `token` names; of a rebuild's commit, only the parts of that append. nullopt
// where the token is new. `repeats_steps`: see AppendOptions. Throws token_order where the token is below its
// writer's last, or names an append of other tables or row counts.
std::optional<Commit> find_used(Run& run, Snapshot& snapshot, const Token& token, bool repeats_steps,
                                const RowCounts& rows);

}  // namespace crv::io
