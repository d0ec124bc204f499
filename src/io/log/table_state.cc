#include "io/log/table_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "crv/core/error.h"
#include "io/base/sums.h"

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

// `what` of the parts before `part` and of its own.
std::int64_t sum_up_to(const PartRecord& part, const char* what, std::int64_t before, std::int64_t own) {
  const std::optional<std::int64_t> sum = sum_if_fits(before, own);
  if (!sum)
    raise(ErrorCode::manifest_damaged,
          "The parts up to " + part.meta.path + " of bucket " + std::to_string(part.bucket) +
              " are listed with more " + what + " than 64 bits can count: a manifest or commit is damaged.",
          {.key = what, .value = std::to_string(own), .path = part.meta.path, .bucket = part.bucket});
  return *sum;
}

}  // namespace

bool is_table(const TableState& state) {
  return state.definition || core::find_stored_table(state.table);
}

PartitionMeta sums_of(std::int64_t bucket, const std::vector<PartRecord>& parts) {
  PartitionMeta sums;
  sums.bucket_id = bucket;
  sums.tick_min = parts.front().meta.tick_min;
  sums.tick_max = parts.front().meta.tick_max;
  for (const PartRecord& part : parts) {
    sums.tick_min = std::min(sums.tick_min, part.meta.tick_min);
    sums.tick_max = std::max(sums.tick_max, part.meta.tick_max);
    sums.row_count = sum_up_to(part, "rows", sums.row_count, part.meta.rows);
    sums.byte_size = sum_up_to(part, "bytes", sums.byte_size, part.meta.bytes);
  }
  return sums;
}

void TableState::apply(const Commit& commit) {
  if (commit.seq != position + 1)
    raise(ErrorCode::log_damaged,
          "Commit " + std::to_string(commit.seq) + " cannot follow commit " + std::to_string(position) +
              " in table " + table + '.',
          {.table = table, .seq = commit.seq});
  position = commit.seq;
  position_id = commit.id;
  format = std::max(format, commit.format());
  const TableChange* change = commit.find(table);
  if (!change) return;
  if (created_at.empty()) created_at = commit.time;
  updated_at = commit.time;
  if (change->definition) definition = change->definition;
  for (const auto& [id, columns] : change->schemas) learn({id, commit.seq, columns});
  for (const auto* names : {&change->removed, &change->condemned})
    for (const PartName& part : *names) gone_.try_emplace(part.file, GonePart{part.bucket, commit.seq});
  list_.reset();
  if (!deferred_) return parts_.apply(*change, commit.seq, gone_);
  deferred_->count +=
      static_cast<std::int64_t>(change->added.size()) - static_cast<std::int64_t>(change->removed.size());
  TableChange later{.table = table, .added = change->added, .removed = change->removed};
  deferred_->later.emplace_back(commit.seq, std::move(later));
}

void TableState::add(PartRecord part) {
  list_.reset();
  known_parts().add(std::move(part));
}

void TableState::remove(const PartName& part) {
  list_.reset();
  known_parts().remove(part);
}

void TableState::defer(std::shared_ptr<const PartList> parts) {
  list_.reset();
  const std::int64_t count = std::ssize(parts->parts);
  deferred_ = {count, std::move(parts), {}};
}

PartSet& TableState::known_parts() const {
  if (deferred_) {
    PartSet loaded;
    for (const PackedPart& part : deferred_->parts->parts) loaded.add(deferred_->parts->record(part));
    for (const auto& [seq, change] : deferred_->later) loaded.apply(change, seq, gone_);
    parts_ = std::move(loaded);
    deferred_.reset();
  }
  return parts_;
}

std::shared_ptr<const PartList> TableState::list() const {
  if (!list_ && deferred_) list_ = list_of_deferred();
  if (!list_) {
    auto list = std::make_shared<PartList>();
    for (const auto& [bucket, parts] : known_parts().buckets)
      for (const PartRecord& part : parts) list->add(part);
    list_ = std::move(list);
  }
  return list_;
}

// The packed parts and those that came later, each at the end of its bucket. Null where a part has gone or
// came twice: records tell then.
std::shared_ptr<const PartList> TableState::list_of_deferred() const {
  const PartList& before = *deferred_->parts;
  if (deferred_->later.empty()) return deferred_->parts;
  PartList later{{}, before.schemas};
  for (const auto& [seq, change] : deferred_->later) {
    if (!change.removed.empty()) return nullptr;
    for (PartRecord part : change.added) {
      if (is_gone(part.meta.path)) return nullptr;
      part.seq = seq;
      later.add(part);
    }
  }
  const auto by_bucket = [](const PackedPart& a, const PackedPart& b) { return a.bucket < b.bucket; };
  std::stable_sort(later.parts.begin(), later.parts.end(), by_bucket);
  auto list = std::make_shared<PartList>(PartList{{}, std::move(later.schemas)});
  list->parts.reserve(before.parts.size() + later.parts.size());
  std::merge(before.parts.begin(), before.parts.end(), later.parts.begin(), later.parts.end(),
             std::back_inserter(list->parts), by_bucket);
  PartNames names;
  names.expect(list->parts.size());
  for (std::size_t i = 0; i < list->parts.size(); ++i)
    if (!names.insert(*list, i)) return nullptr;
  return list;
}

// A name that went with an earlier commit is not added again.
void PartSet::apply(const TableChange& change, std::int64_t seq, const GoneParts& gone) {
  for (PartRecord part : change.added) {
    if (const auto it = gone.find(part.meta.path); it != gone.end() && it->second.seq < seq) continue;
    part.seq = seq;
    add(std::move(part));
  }
  for (const PartName& part : change.removed) remove(part);
}

// A name that stands in another bucket already is not added: no bucket is ever without parts.
void PartSet::add(PartRecord part) {
  if (!names.insert(part.meta.path).second) {
    const auto bucket = buckets.find(part.bucket);
    if (bucket == buckets.end()) return;
    std::vector<PartRecord>& parts = bucket->second;
    auto held =
        std::find_if(parts.begin(), parts.end(), [&](auto& p) { return p.meta.path == part.meta.path; });
    if (held == parts.end() || (held->seq != 0 && !held->schema.empty())) return;
    if (held->schema.empty() && !part.schema.empty()) --unknown;
    *held = std::move(part);
    return;
  }
  ++count;
  if (part.schema.empty()) ++unknown;
  buckets[part.bucket].push_back(std::move(part));
}

void PartSet::remove(const PartName& part) {
  auto bucket = buckets.find(part.bucket);
  if (bucket == buckets.end() || !names.contains(part.file)) return;
  std::erase_if(bucket->second, [&](const PartRecord& held) {
    if (held.meta.path != part.file) return false;
    names.erase(part.file);
    --count;
    if (held.schema.empty()) --unknown;
    return true;
  });
  if (bucket->second.empty()) buckets.erase(bucket);
}

GoneNames TableState::gone() const {
  GoneNames names;
  for (const auto& [file, part] : gone_) names.emplace(file, part.bucket);
  return names;
}

void TableState::set_gone(const GoneNames& names) {
  for (const auto& [file, bucket] : names) gone_.try_emplace(file, GonePart{bucket, position});
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
  auto parts = buckets().find(bucket);
  if (parts == buckets().end()) return nullptr;
  auto part = std::find_if(parts->second.begin(), parts->second.end(),
                           [&](auto& p) { return p.meta.path == part_file; });
  return part == parts->second.end() ? nullptr : &*part;
}

std::unordered_map<std::string_view, const PartRecord*> TableState::parts_by_name() const {
  std::unordered_map<std::string_view, const PartRecord*> parts;
  for (const auto& [bucket, records] : buckets())
    for (const PartRecord& part : records) parts.emplace(part.meta.path, &part);
  return parts;
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
  manifest.partitions.reserve(buckets().size());
  std::int64_t rows = 0, bytes = 0;
  for (const auto& [bucket, parts] : buckets()) {
    PartitionMeta& partition = manifest.partitions.emplace_back(sums_of(bucket, parts));
    rows = sum_up_to(parts.back(), "rows", rows, partition.row_count);
    bytes = sum_up_to(parts.back(), "bytes", bytes, partition.byte_size);
    for (const PartRecord& part : parts) partition.parts.push_back(part.meta);
  }
  return manifest;
}

}  // namespace crv::io
