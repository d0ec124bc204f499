#include "io/table_state.h"

#include <algorithm>
#include <utility>

namespace crv::io {
namespace {

// Whether `columns` gives the dotted path a type: every name on the way is there, and the last is of known
// type.
bool types_path(const std::vector<Field>& fields, std::string_view path) {
  for (const Field& field : fields) {
    if (!path.starts_with(field.name)) continue;
    std::string_view rest = path.substr(field.name.size());
    const Type* type = &field.type;
    while (rest.starts_with("[]") && type->kind == Type::Kind::list) {
      rest.remove_prefix(2);
      type = &type->fields.front().type;
    }
    if (rest.empty()) return type->kind != Type::Kind::null;
    if (rest.front() == '.' && types_path(type->fields, rest.substr(1))) return true;
  }
  return false;
}

PartitionMeta partition_of(std::int64_t bucket, const std::vector<PartRecord>& parts) {
  PartitionMeta partition;
  partition.bucket_id = bucket;
  partition.tick_min = parts.front().meta.tick_min;
  partition.tick_max = parts.front().meta.tick_max;
  partition.parts.reserve(parts.size());
  for (const PartRecord& part : parts) {
    partition.tick_min = std::min(partition.tick_min, part.meta.tick_min);
    partition.tick_max = std::max(partition.tick_max, part.meta.tick_max);
    partition.row_count += part.meta.rows;
    partition.byte_size += part.meta.bytes;
    partition.parts.push_back(part.meta);
  }
  return partition;
}

}  // namespace

void TableState::apply(const Commit& commit) {
  position = commit.seq;
  position_id = commit.id;
  const TableChange* change = commit.find(table);
  if (!change) return;
  if (created_at.empty()) created_at = commit.time;
  updated_at = commit.time;
  for (const auto& [id, columns] : change->schemas) learn({id, commit.seq, columns});
  for (PartRecord part : change->added) {
    part.seq = commit.seq;
    add(part);
  }
  for (const PartName& part : change->removed) remove(part);
  for (const PartName& part : change->condemned) condemned_.insert(part.file);
}

void TableState::add(PartRecord part) {
  std::vector<PartRecord>& parts = buckets_[part.bucket];
  if (!names_.insert(part.meta.path).second) {
    auto held =
        std::find_if(parts.begin(), parts.end(), [&](auto& p) { return p.meta.path == part.meta.path; });
    if (held == parts.end() || (held->seq != 0 && !held->schema.empty())) return;
    if (held->schema.empty() && !part.schema.empty()) --unknown_parts_;
    *held = std::move(part);
    return;
  }
  ++parts_;
  if (part.schema.empty()) ++unknown_parts_;
  parts.push_back(std::move(part));
}

void TableState::remove(const PartName& part) {
  auto bucket = buckets_.find(part.bucket);
  if (bucket == buckets_.end() || names_.erase(part.file) == 0) return;
  std::erase_if(bucket->second, [&](const PartRecord& held) {
    if (held.meta.path != part.file) return false;
    --parts_;
    if (held.schema.empty()) --unknown_parts_;
    return true;
  });
  if (bucket->second.empty()) buckets_.erase(bucket);
}

void TableState::learn(const SeenSchema& schema) {
  if (knows_schema(schema.id)) return;
  schemas_.push_back(schema);
  columns_ = unite(columns_, schema.columns, conflicts_);
}

bool TableState::knows_schema(std::string_view id) const {
  return std::any_of(schemas_.begin(), schemas_.end(), [&](const SeenSchema& s) { return s.id == id; });
}

const PartRecord* TableState::find(std::int64_t bucket, std::string_view part_file) const {
  auto parts = buckets_.find(bucket);
  if (parts == buckets_.end()) return nullptr;
  auto part = std::find_if(parts->second.begin(), parts->second.end(),
                           [&](auto& p) { return p.meta.path == part_file; });
  return part == parts->second.end() ? nullptr : &*part;
}

std::int64_t TableState::first_commit_of(std::string_view path) const {
  for (const SeenSchema& schema : schemas_)
    if (types_path(schema.columns, path)) return schema.seq;
  return 0;
}

TableManifest TableState::manifest() const {
  TableManifest manifest;
  manifest.table = table;
  manifest.created_at = created_at;
  manifest.updated_at = updated_at;
  manifest.last_seq = position;
  manifest.last_id = position_id;
  manifest.partitions.reserve(buckets_.size());
  for (const auto& [bucket, parts] : buckets_) manifest.partitions.push_back(partition_of(bucket, parts));
  return manifest;
}

}  // namespace crv::io
