#include "io/dataset/used_token.h"

#include <algorithm>

#include "crv/core/error.h"

namespace crv::io {

namespace {

[[noreturn]] void refuse(const Run& run, const Token& token, const std::string& why) {
  const std::string number = std::to_string(token.number);
  raise(ErrorCode::token_order, "Token number " + number + " of writer \"" + token.writer + "\" " + why + '.',
        {.run_id = run.run_id, .key = "token.number", .value = number});
}

// The number of the commit that the token names, or nothing where it is above the writer's last.
std::optional<std::int64_t> seq_of(const Run& run, Snapshot& snapshot, const Token& token,
                                   bool repeats_steps) {
  const auto last = snapshot.last_token(token.writer);
  if (!last || last->first < token.number) return std::nullopt;
  if (last->first == token.number) return last->second;
  const auto older = repeats_steps ? snapshot.commit_of(token) : std::nullopt;
  if (!older) refuse(run, token, "is below " + std::to_string(last->first) + ", the writer's last");
  return older;
}

RowCounts rows_of(const Commit& commit) {
  RowCounts rows;
  for (const TableChange& change : commit.tables)
    for (const PartRecord& part : change.added) rows[change.table] += part.meta.rows;
  return rows;
}

}  // namespace

std::optional<Commit> find_used(Run& run, Snapshot& snapshot, const Token& token, bool repeats_steps,
                                const RowCounts& rows) {
  const std::optional<std::int64_t> seq = seq_of(run, snapshot, token, repeats_steps);
  if (!seq) return std::nullopt;
  const std::optional<std::string> line = run.require_log()->line_of(*seq);
  if (!line)
    raise(ErrorCode::log_damaged, "The log has lost commit " + std::to_string(*seq) + ".", {.seq = *seq});
  Commit commit = decode_commit(*line, run.paths().commit(*seq), *seq);
  if (commit.kind == CommitKind::rebuild)  // it brings back the parts of many appends
    for (TableChange& change : commit.tables)
      std::erase_if(change.added, [&](const PartRecord& part) { return part.token != token_text(token); });
  // A token that names other rows was given twice by mistake: to return the first summary would lose these.
  if (rows_of(commit) != rows)
    refuse(run, token,
           "already names an append with other tables or row counts (commit " + std::to_string(commit.seq) +
               ")");
  return commit;
}

}  // namespace crv::io
