#include "io/dataset/parts_writer.h"

#include <atomic>
#include <memory>
#include <thread>

#include <arrow/table.h>

#include "io/base/parallel.h"
#include "io/part/part.h"

namespace crv::io {

void PartsWriter::write(std::span<TableParts> tables, const std::string& commit_id,
                        const std::optional<Token>& token) {
  std::vector<Work> work;
  for (TableParts& table : tables) {
    table.parts.assign(table.rows.buckets.size(), {});
    for (std::size_t i = 0; i < table.parts.size(); ++i) {
      plan(table, i);
      work.push_back({&table, i});
    }
  }
  try {
    make_folders(tables);
    write_all(work, commit_id, token);
    sync_folders();
  } catch (...) {
    remove(tables);
    throw;
  }
}

// What the record says before there are bytes. The name is new each time, so that a part which could not be
// removed never stands in the way of another.
void PartsWriter::plan(TableParts& table, std::size_t bucket) {
  const Conformed::Bucket& rows = table.rows.buckets[bucket];
  PartRecord& part = table.parts[bucket];
  part.bucket = rows.id;
  part.meta.path = part_file(run_.new_id());
  part.meta.rows = rows.rows->num_rows();
  part.meta.tick_min = rows.tick_min;
  part.meta.tick_max = rows.tick_max;
  part.meta.created_at = run_.now();
  part.schema = schema_id(table.rows.columns);
}

// A bucket's folder that this Dataset has not relied on before is synced into its table's folder, whoever
// made it: another writer may have made it a moment ago.
void PartsWriter::make_folders(std::span<const TableParts> tables) {
  folders_.clear();
  tables_with_new_buckets_.clear();
  for (const TableParts& table : tables)
    for (const PartRecord& part : table.parts) {
      const std::string folder = run_.paths().bucket(table.table->name, part.bucket);
      if (!folders_.insert(folder).second || run_.trusted_folders().holds(folder)) continue;
      run_.storage().make_folder(folder);
      tables_with_new_buckets_.insert(table.table->name);
    }
}

// Progress is told by the caller's thread alone, between its own parts: a handler need not be safe for
// several threads, and what it throws reaches the caller.
void PartsWriter::write_all(const std::vector<Work>& work, const std::string& commit_id,
                            const std::optional<Token>& token) {
  const auto total = static_cast<std::int64_t>(work.size());
  const auto caller = std::this_thread::get_id();
  std::atomic<std::int64_t> done = 0;
  in_parallel(run_.threads(), work.size(), [&](std::size_t i) {
    if (progress_ && std::this_thread::get_id() == caller) progress_(done, total);
    write_one(work[i], work.size(), commit_id, token);
    ++done;
  });
  if (progress_) progress_(total, total);
}

// The footer tells all that a rebuild needs where the log is lost: which commit the part was for, of how many
// parts, and under which token.
void PartsWriter::write_one(const Work& work, std::size_t count, const std::string& commit_id,
                            const std::optional<Token>& token) {
  PartRecord& part = work.table->parts[work.bucket];
  PartFooter footer;
  footer.schema_version = work.table->table->version.text();
  footer.table = work.table->table->name;
  footer.run_id = run_.run_id;
  footer.append_id = commit_id;
  footer.append_parts = static_cast<std::int64_t>(count);
  if (token) footer.token = token_text(*token);
  footer.created_at = part.meta.created_at;
  footer.columns = work.table->rows.columns;
  if (!core::find_stored_table(footer.table)) footer.definition = work.table->table;
  const std::unique_ptr<Writer> writer = run_.storage().create(path_of(*work.table, part));
  const EncodedPart encoded = write_part(*writer, *work.table->rows.buckets[work.bucket].rows, footer,
                                         {run_.settings.compression, run_.settings.row_group_size});
  part.meta.bytes = encoded.bytes;
  part.checksum = encoded.checksum;
}

void PartsWriter::sync_folders() {
  const std::vector<std::string> folders(folders_.begin(), folders_.end());
  in_parallel(run_.threads(), folders.size(), [&](std::size_t i) { run_.storage().sync(folders[i]); });
  for (const std::string& table : tables_with_new_buckets_) run_.storage().sync(run_.paths().table(table));
}

void PartsWriter::remove(std::span<TableParts> tables) noexcept {
  for (const TableParts& table : tables)
    for (const PartRecord& part : table.parts) try {
        run_.storage().remove(path_of(table, part));
      } catch (const std::exception& e) {
        run_.warn(std::string("A part of a failed append could not be removed: ") + e.what());
      }
}

void PartsWriter::trust_folders() {
  for (const std::string& folder : folders_) run_.trusted_folders().add(folder);
}

std::string PartsWriter::path_of(const TableParts& table, const PartRecord& part) const {
  return run_.paths().part(table.table->name, part.bucket, part.meta.path);
}

}  // namespace crv::io
