#include "io/run/snapshot.h"

#include <algorithm>

#include "crv/core/descriptor.h"
#include "crv/core/error.h"
#include "io/log/manifest_file.h"
#include "io/part/part.h"

namespace crv::io {

TableState* Snapshot::table(std::string_view name) {
  if (!location_.storage().exists(location_.paths().manifest(name))) {
    if (auto it = tables_.find(name); it != tables_.end()) tables_.erase(it);
    return nullptr;
  }
  location_.look();
  // Without a log, only the manifest can have changed.
  if (!known_table(name) || !location_.info()) load(name);
  advance();
  return known_table(name);
}

std::vector<TableState*> Snapshot::all_tables() {
  location_.look();
  std::vector<TableState*> all;
  const std::vector<std::string> names = location_.table_names();
  for (const std::string& name : names)
    if (!known_table(name) || !location_.info()) load(name);
  advance();
  for (const std::string& name : names)
    if (TableState* state = known_table(name); state && is_table(*state)) all.push_back(state);
  return all;
}

TableState* Snapshot::known_table(std::string_view name) {
  auto it = tables_.find(name);
  return it == tables_.end() ? nullptr : &it->second;
}

std::vector<std::string> Snapshot::known_tables() const {
  std::vector<std::string> names;
  for (const auto& [name, state] : tables_) names.push_back(name);
  return names;
}

// Another folder below tables/ may look like that of a table, and hold a manifest that is none of this run's.
void Snapshot::load(std::string_view name) {
  try {
    read_manifest(name);
  } catch (const IoManifestError& e) {
    if (core::find_stored_table(name) || e.code() == ErrorCode::format_too_new) throw;
    if (const std::shared_ptr<FoundRun> run = location_.found(); run && run->log.names(name)) throw;
  }
}

// What the log has after the manifest is advance()'s matter.
void Snapshot::read_manifest(std::string_view name) {
  std::string path = location_.paths().manifest(name);
  std::optional<TableState> found = read_object(location_.storage(), path, [&](Reader& file) {
    return location_.info() ? open_manifest(file, std::string(name), path, location_.bucket_size())
                            : decode_manifest(read_whole(file, path), std::string(name), path);
  });
  if (!found) return;
  TableState& state = *found;
  if (state.position != position_.seq || state.position_id != position_.id) check_not_ahead(state);
  if (tables_.empty() && position_.seq == 0 && state.position > 0)
    position_ = {state.position, state.position_id, state.format};
  tables_.insert_or_assign(std::string(name), std::move(state));
}

void Snapshot::check_not_ahead(const TableState& state) {
  if (state.position <= 0) return;
  for (int look = 0; look < 2; ++look) {
    location_.look();
    const std::shared_ptr<FoundRun> run = location_.found();
    if (!run) break;
    if (run->log.holds(state.position, state.position_id)) return;
    if (location_.standing_of(*run) != RunLocation::Standing::same)
      location_.refuse_replaced("it was replaced while it was read");
  }
  raise(ErrorCode::manifest_ahead,
        "The manifest of table " + state.table + " in run " + location_.run_id + " is folded to commit " +
            std::to_string(state.position) +
            ", which the log does not hold. The run may be a copy made while it was written; rebuild it.",
        {.run_id = location_.run_id,
         .table = state.table,
         .path = location_.paths().manifest(state.table),
         .seq = state.position});
}

// Reads what the log has beyond the snapshot, from the table on that lags most.
void Snapshot::advance() {
  const std::shared_ptr<FoundRun> run = location_.found();
  if (!run) return;
  if (position_.seq == 0) position_.id = run->info.identity();
  LogPosition at = position_;
  for (const auto& [name, state] : tables_)
    if (state.position < at.seq) at = {state.position, state.position_id, state.format};
  if (at.seq == 0) at.id = run->info.identity();
  try {
    run->log.read_after(at.seq, [&](std::int64_t seq, std::string_view line, const std::string& path) {
      const Commit commit = decode_commit(line, path, seq);
      step(at, commit, path);
      apply(commit);
    });
  } catch (const Error&) {
    throw;
  } catch (...) {  // out of memory: a state may be half way through a commit
    forget();
    throw;
  }
}

void Snapshot::apply(const Commit& commit) {
  for (auto& [name, state] : tables_)
    if (state.position < commit.seq) state.apply(commit);
  if (tokens_ && tokens_->seq < commit.seq) {
    remember_tokens(commit, tokens_->last);
    tokens_->seq = commit.seq;
  }
  if (position_.seq >= commit.seq) return;
  position_ = {commit.seq, commit.id, std::max(position_.format, commit.format())};
  if (commit.kind == CommitKind::fence && fenced_at_ == 0) fenced_at_ = commit.seq;
}

void Snapshot::apply_own(const Commit& commit) {
  try {
    if (position_.seq < commit.seq) apply(commit);
    durable_ = commit.seq;
  } catch (...) {  // the snapshot may be half way: it is read again
    forget();
  }
}

bool Snapshot::still_holds_position(const FoundRun& run) {
  if (position_.seq == 0 || !run.folder) return true;
  Storage& storage = run.folder->storage();
  if (const auto line = read_all(storage, location_.paths().commit(position_.seq)))
    if (line->find("\"id\":\"" + position_.id + '"') != std::string::npos) return true;
  const FoldRange range = run.log.range_of(position_.seq);
  if (fold_seen_ == position_.seq && storage.exists(location_.paths().fold(range.first, range.last)))
    return true;
  if (!run.log.holds(position_.seq, position_.id)) return false;
  fold_seen_ = position_.seq;
  return true;
}

void Snapshot::forget() {
  tables_.clear();
  tokens_.reset();
  steps_ = {};
  position_ = {};
  fenced_at_ = fold_seen_ = durable_ = 0;
}

void Snapshot::identify_parts(TableState& state) {
  if (state.unknown_parts() == 0) return;
  std::vector<PartRecord> found;
  for (const auto& [bucket, parts] : state.buckets())
    for (const PartRecord& part : parts)
      if (part.schema.empty()) found.push_back(part);
  for (PartRecord& part : found) {
    PartFooter footer =
        read_part_facts(location_.storage(), location_.paths().part(state.table, part.bucket, part.meta.path))
            .footer;
    if (location_.info() && !footer.append_id.empty()) {  // an append of crv wrote it, and no commit names it
      state.remove({part.bucket, part.meta.path});
      continue;
    }
    part.schema = schema_id(footer.columns);
    state.learn({part.schema, part.seq, std::move(footer.columns)});
    state.add(part);
  }
}

std::optional<std::pair<std::int64_t, std::int64_t>> Snapshot::last_token(const std::string& writer) {
  if (!tokens_) {
    advance();
    const std::shared_ptr<Log> log = location_.require_log();
    Tokens tokens;
    for (FoldRange range = log->range_of(std::max<std::int64_t>(position_.seq, 1)); range.first >= 1;
         range = {range.first - (range.last - range.first + 1), range.first - 1}) {
      std::optional<Fold> fold = log->fold_of(range);
      if (!fold) continue;
      tokens = {std::move(fold->tokens), range.last};
      break;
    }
    log->read_after(tokens.seq, [&](std::int64_t seq, std::string_view line, const std::string& path) {
      remember_tokens(decode_commit(line, path, seq), tokens.last);
      tokens.seq = seq;
    });
    tokens_ = std::move(tokens);
    advance();  // the snapshot must not be behind the tokens
  }
  auto it = tokens_->last.find(writer);
  return it == tokens_->last.end() ? std::nullopt : std::optional(it->second);
}

std::optional<std::int64_t> Snapshot::commit_of(const Token& token) {
  if (steps_.writer != token.writer) steps_ = {token.writer, {}, 0};
  auto it = steps_.commits.find(token.number);
  if (it == steps_.commits.end()) {
    location_.require_log()->read_after(
        steps_.seq, [&](std::int64_t seq, std::string_view line, const std::string& path) {
          for (const Token& used : tokens_of(decode_commit(line, path, seq)))
            if (used.writer == token.writer) steps_.commits[used.number] = seq;
          steps_.seq = seq;
        });
    it = steps_.commits.find(token.number);
  }
  return it == steps_.commits.end() ? std::nullopt : std::optional(it->second);
}

std::vector<PartRecord> unadopted_parts(const TableState& state) {
  std::vector<PartRecord> found;
  for (const auto& [bucket, parts] : state.buckets())
    for (const PartRecord& part : parts)
      if (part.seq == 0) found.push_back(part);
  return found;
}

}  // namespace crv::io
