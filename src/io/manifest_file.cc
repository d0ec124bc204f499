#include "io/manifest_file.h"

#include <algorithm>

#include "io/checked_json.h"
#include "io/paths.h"

namespace crv::io {
namespace {

JsonObject part_object(const PartMeta& part) {
  JsonObject o;
  o.push_back("path", part.path);
  o.push_back("rows", part.rows);
  o.push_back("bytes", part.bytes);
  o.push_back("tick_min", part.tick_min);
  o.push_back("tick_max", part.tick_max);
  o.push_back("created_at", part.created_at);
  return o;
}

JsonObject partition_object(const PartitionMeta& partition) {
  JsonObject o;
  o.push_back("bucket_id", partition.bucket_id);
  o.push_back("state", partition.state);
  o.push_back("tick_min", partition.tick_min);
  o.push_back("tick_max", partition.tick_max);
  o.push_back("row_count", partition.row_count);
  o.push_back("byte_size", partition.byte_size);
  JsonArray parts;
  parts.reserve(partition.parts.size());
  for (const PartMeta& part : partition.parts) parts.push_back(part_object(part));
  o.push_back("parts", std::move(parts));
  return o;
}

// The contract's fields, then how far the manifest is folded.
JsonObject head_of(const TableManifest& manifest) {
  JsonObject o;
  o.push_back("table", manifest.table);
  o.push_back("version", manifest.version);
  o.push_back("created_at", manifest.created_at);
  o.push_back("updated_at", manifest.updated_at);
  JsonObject partitions;
  for (const PartitionMeta& partition : manifest.partitions)
    partitions.push_back(bucket_key(partition.bucket_id), partition_object(partition));
  o.push_back("partitions", std::move(partitions));
  o.push_back("last_seq", manifest.last_seq);
  o.push_back("last_id", manifest.last_id);
  return o;
}

const JsonStyle manifest_style{.ascii = true, .indent = 2};

// Facts that the contract's part objects have no room for, in the order of the parts.
void add_part_facts(JsonObject& partition, const std::vector<PartRecord>& parts) {
  JsonArray checksums, schemas, seqs;
  for (const PartRecord& part : parts) {
    checksums.emplace_back(part.checksum);
    schemas.emplace_back(part.schema);
    seqs.emplace_back(part.seq);
  }
  partition.push_back("xxh3", std::move(checksums));
  partition.push_back("schemas", std::move(schemas));
  partition.push_back("seqs", std::move(seqs));
}

// The last field of the sealed text stands behind a newline and two spaces, as all others do.
constexpr std::string_view seal_before = ",\n  \"checksum\": \"";
constexpr std::size_t seal_length = seal_before.size() + 16 + 3;

void seal_manifest(std::string& text) {
  text.resize(text.size() - 2);  // "\n}"
  text += std::string(seal_before) + checksum_text(text) + "\"\n}";
}

bool manifest_seal_fits(std::string_view text) {
  if (text.size() < seal_length) return false;
  std::string_view before = text.substr(0, text.size() - seal_length);
  std::string_view end = text.substr(before.size());
  return end.starts_with(seal_before) && end.substr(seal_before.size(), 16) == checksum_text(before);
}

PartRecord part_from(const Checked& json, std::int64_t bucket) {
  PartRecord part;
  part.bucket = bucket;
  part.meta.path = json.text("path");
  if (!is_part_file(part.meta.path))
    json.damaged("path", "is not the bare name of a part file: " + part.meta.path);
  part.meta.rows = json.integer("rows", 1);
  part.meta.bytes = json.integer("bytes", 1);
  part.meta.tick_min = json.integer("tick_min", 0);
  part.meta.tick_max = json.integer("tick_max", part.meta.tick_min);
  part.meta.created_at = json.text("created_at");
  return part;
}

void check_sums(const Checked& json, const std::vector<PartRecord>& parts) {
  std::int64_t rows = 0, bytes = 0;
  for (const PartRecord& part : parts) {
    rows += part.meta.rows;
    bytes += part.meta.bytes;
  }
  if (json.integer("row_count") != rows)
    json.damaged("row_count", "is not the sum over the partition's parts");
  if (json.integer("byte_size") != bytes)
    json.damaged("byte_size", "is not the sum over the partition's parts");
}

std::vector<PartRecord> parts_from(const Checked& json, const std::string& key, bool ours) {
  std::int64_t bucket = json.integer("bucket_id", 0);
  if (bucket_key(bucket) != key) json.damaged("bucket_id", "is not that of its key \"" + key + '"');
  std::vector<PartRecord> parts;
  for (const Checked& part : json.items("parts")) parts.push_back(part_from(part, bucket));
  check_sums(json, parts);
  if (!ours) return parts;
  std::vector<Checked> checksums = json.items("xxh3"), schemas = json.items("schemas"),
                       seqs = json.items("seqs");
  if (checksums.size() != parts.size() || schemas.size() != parts.size() || seqs.size() != parts.size())
    json.damaged("xxh3", "has not one entry a part");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].checksum = checksums[i].as_text();
    parts[i].schema = schemas[i].as_text();
    parts[i].seq = seqs[i].as_integer(0);
  }
  return parts;
}

std::string text_or_empty(const Checked& json, std::string_view key) {
  const Json* value = json.find(key);
  return value && !value->is_null() ? json.text(key) : std::string();
}

}  // namespace

std::int64_t TableManifest::rows() const {
  std::int64_t sum = 0;
  for (const PartitionMeta& p : partitions) sum += p.row_count;
  return sum;
}

std::int64_t TableManifest::bytes() const {
  std::int64_t sum = 0;
  for (const PartitionMeta& p : partitions) sum += p.byte_size;
  return sum;
}

std::int64_t TableManifest::parts() const {
  std::int64_t sum = 0;
  for (const PartitionMeta& p : partitions) sum += static_cast<std::int64_t>(p.parts.size());
  return sum;
}

std::string to_json(const TableManifest& manifest) {
  return write_json(head_of(manifest), manifest_style);
}

std::string encode_manifest(const TableState& state) {
  JsonObject o = head_of(state.manifest());
  JsonObject& partitions = *o.find("partitions")->get_if<JsonObject>();
  auto partition = partitions.begin();
  for (const auto& [bucket, parts] : state.buckets())
    add_part_facts(*(partition++)->second.get_if<JsonObject>(), parts);
  JsonArray schemas;
  for (const SeenSchema& schema : state.schemas()) {
    JsonObject s;
    s.push_back("id", schema.id);
    s.push_back("seq", schema.seq);
    s.push_back("columns", columns_to_json(schema.columns));
    schemas.emplace_back(std::move(s));
  }
  o.push_back("schemas", std::move(schemas));
  o.push_back("format", format_number);
  std::string text = write_json(std::move(o), manifest_style);
  seal_manifest(text);
  return text;
}

TableState decode_manifest(std::string_view text, const std::string& table, const std::string& path) {
  Origin origin{ErrorCode::manifest_damaged, "The manifest of table " + table, path, table};
  Json whole = parse_sound(text, origin);
  Checked json(whole, origin);
  bool ours = json.find("last_seq") != nullptr;
  if (ours) {
    check_format(json);
    if (!manifest_seal_fits(text))
      origin.damaged("its checksum does not fit its bytes, so somebody edited or tore it; rebuild it");
  }
  if (json.text("table") != table) json.damaged("table", "names another table");
  TableState state(table);
  state.created_at = text_or_empty(json, "created_at");
  state.updated_at = text_or_empty(json, "updated_at");
  const Json* partitions = json.find("partitions");
  if (partitions && !partitions->is_null())
    for (const auto& [key, partition] : json.object("partitions"))
      for (const PartRecord& part : parts_from(Checked(partition, origin), key, ours)) state.add(part);
  if (!ours) {
    state.manifest_position = -1;
    return state;
  }
  state.position = json.integer("last_seq", 0);
  state.position_id = json.text("last_id");
  state.manifest_position = state.position;
  for (const Checked& schema : json.items("schemas"))
    state.learn({schema.text("id"), schema.integer("seq", 0), columns_from_json(*schema.find("columns"))});
  return state;
}

}  // namespace crv::io
