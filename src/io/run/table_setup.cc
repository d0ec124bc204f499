#include "io/run/table_setup.h"

#include <map>
#include <set>
#include <utility>

#include "crv/core/error.h"
#include "io/log/manifest_file.h"
#include "io/part/part.h"

namespace crv::io {

// By file name: parts that were looked into, ready to be committed.
struct TableSetup::Adopted {
  std::map<std::string, std::pair<PartRecord, Columns>> parts;
  std::set<std::string> folders;  // that hold them
};

void TableSetup::make_ready(std::string_view name, Buckets buckets) {
  const RunPaths& paths = location_.paths();
  const std::string folder = paths.table(name);
  bool known = false;
  if (trusted_.holds(folder))
    known = snapshot_.hold()->known_table(name) && location_.storage().exists(paths.manifest(name));
  if (!known) {
    if (!location_.storage().exists(paths.manifest(name))) make_table(name, buckets);
    if (!trusted_.holds(folder)) location_.storage().sync_up(folder, "");
  }
  if ((!known || buckets == Buckets::are_known) && has_unadopted_parts(name, buckets)) adopt(name);
  if (!known) trusted_.add(folder);  // last: an append relies on a table that is made and adopted
}

bool TableSetup::was_used(std::string_view name, Buckets buckets) {
  if (buckets == Buckets::mean_loss && location_.any_bucket(name)) return true;
  return location_.require_log()->names(name);
}

void TableSetup::make_table(std::string_view name, Buckets buckets) {
  const RunPaths& paths = location_.paths();
  if (was_used(name, buckets)) {
    if (location_.storage().exists(paths.manifest(name))) return;  // another writer has just made it
    raise(ErrorCode::table_missing,
          "Table " + std::string(name) + " of run " + location_.run_id + " has lost its manifest (" +
              paths.manifest(name) + "), though rows were written to it. Rebuild it.",
          {.run_id = location_.run_id, .table = std::string(name), .path = paths.manifest(name)});
  }
  TableState empty{std::string(name)};
  std::shared_ptr<const FoundRun> run;
  {
    const auto snapshot = snapshot_.hold();
    run = location_.found();
    snapshot->advance();
    empty.position = snapshot->position().seq;
    empty.position_id = empty.position > 0 ? snapshot->position().id : "";
    empty.format = snapshot->position().format;
  }
  committer_.sync_log();  // nothing durable may name a commit that a power cut can still take away
  committer_.require_in_place(run);
  empty.created_at = empty.updated_at = location_.now();
  location_.storage().make_folder(paths.table(name));
  location_.put_once(paths.manifest(name), encode_manifest(empty));
}

// A sealed manifest may list such parts, too, since 0.1 wrote such; to look for them costs reading all of it.
bool TableSetup::has_unadopted_parts(std::string_view name, Buckets buckets) {
  const auto snapshot = snapshot_.hold();
  TableState* state = snapshot->table(name);
  if (!state) return false;
  if (state->manifest_position >= 0 && buckets == Buckets::mean_loss) return false;
  return !unadopted_parts(*state).empty();
}

// Takes the parts that the older package listed into the log, as its next commit. Its files were never
// synced: they are, before they are committed.
void TableSetup::adopt(std::string_view name) {
  std::vector<PartRecord> listed;
  const std::shared_ptr<const FoundRun> run = location_.found();
  {
    const auto snapshot = snapshot_.hold();
    if (TableState* state = snapshot->table(name)) listed = unadopted_parts(*state);
  }
  Adopted adopted;
  for (PartRecord& part : listed) look_into(name, part, adopted);
  for (const std::string& folder : adopted.folders) location_.storage().sync(folder);
  if (!adopted.folders.empty()) location_.storage().sync(location_.paths().table(name));
  committer_.commit(run, [&](Snapshot& snapshot) { return adopting(snapshot, name, adopted); });
}

// What an append of crv wrote and no commit names is no row of the table, whoever listed it.
void TableSetup::look_into(std::string_view name, PartRecord& part, Adopted& adopted) {
  const std::string path = location_.paths().part(name, part.bucket, part.meta.path);
  PartFacts facts = read_part_facts(location_.storage(), path);
  if (!facts.footer.append_id.empty()) {
    const auto snapshot = snapshot_.hold();
    if (TableState* state = snapshot->known_table(name)) state->remove({part.bucket, part.meta.path});
    return;
  }
  if (!lie_in_bucket(facts.tick_min, facts.tick_max, part.bucket, location_.bucket_size()))
    raise(ErrorCode::bucket_size_mismatch,
          path + " holds ticks " + std::to_string(facts.tick_min) + " to " + std::to_string(facts.tick_max) +
              ", which do not belong to bucket " + std::to_string(part.bucket) + " of " +
              std::to_string(location_.bucket_size()) + " ticks.",
          {.run_id = location_.run_id,
           .table = std::string(name),
           .key = "tick_bucket_size",
           .path = path,
           .bucket = part.bucket});
  location_.storage().flush(path);
  adopted.folders.insert(parent_of(path));
  part.schema = schema_id(facts.footer.columns);
  part.checksum = checksum_of(location_.storage(), path);
  adopted.parts.try_emplace(part.meta.path, part, std::move(facts.footer.columns));
}

std::optional<Commit> TableSetup::adopting(Snapshot& snapshot, std::string_view name,
                                           const Adopted& adopted) {
  TableState* state = snapshot.table(name);
  if (!state) return std::nullopt;
  Commit commit;
  commit.kind = CommitKind::adopt;
  TableChange& change = commit.change_of(name);
  for (const PartRecord& part : unadopted_parts(*state)) {
    const auto it = adopted.parts.find(part.meta.path);
    if (it == adopted.parts.end() || state->is_gone(part.meta.path)) continue;
    change.add(it->second.first, it->second.second, false);
  }
  if (change.added.empty()) return std::nullopt;
  commit.id = location_.new_id();
  return commit;
}

}  // namespace crv::io
