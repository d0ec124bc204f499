#include "io/manifest_file.h"

#include "io/checked_json.h"
#include "io/manifest_reader.h"
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
  for (const PartMeta& part : partition.parts) parts.emplace_back(part_object(part));
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

// What has no seal must be of the older package.
void check_unsealed(std::string_view text, const Origin& origin) {
  Json whole = parse_sound(text, origin);
  Checked json(whole, origin);
  if (!json.find("last_seq")) return;
  check_format(json);
  origin.damaged("its checksum does not fit its bytes, so somebody edited or tore it; rebuild it");
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
  const bool ours = manifest_seal_fits(text);
  try {
    if (!ours) check_unsealed(text, origin);
    return read_manifest(text, ours, origin);
  } catch (const IoManifestError&) {
    if (ours) check_format(Checked(parse_sound(text, origin), origin));  // a newer one may look different
    throw;
  }
}

}  // namespace crv::io
