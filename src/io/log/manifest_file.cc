#include "io/log/manifest_file.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/base/sums.h"
#include "io/log/checked_json.h"
#include "io/log/manifest_reader.h"
#include "io/log/manifest_stream.h"
#include "io/storage/paths.h"

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

const JsonStyle kManifestStyle{.ascii = true, .indent = 2};

// The partitions of a large table are most of its manifest, so their text is put together by hand:
// `"partitions": ` and the object, as write_json() with kManifestStyle would write them at the top level.
class PartitionsText {
 public:
  // Writes to the end of `text`.
  PartitionsText(const TableState& state, std::string& text) : text_(text) {
    constexpr std::size_t of_part = 360, of_partition = 300;  // bytes, about
    text_.reserve(text_.size() + static_cast<std::size_t>(state.parts()) * of_part +
                  state.buckets().size() * of_partition);
    text_ += "\"partitions\": {";
    for (const auto& [bucket, parts] : state.buckets()) {
      if (bucket != state.buckets().begin()->first) text_ += ',';
      add_partition(bucket, parts);
    }
    text_ += state.buckets().empty() ? "}" : "\n  }";
  }

 private:
  void add_partition(std::int64_t bucket, const std::vector<PartRecord>& parts) {
    const PartitionMeta sums = sums_of(bucket, parts);
    text_ += "\n    \"" + bucket_key(bucket) + "\": {";
    field("\n      \"bucket_id\": ", bucket);
    field(",\n      \"state\": ", sums.state);
    field(",\n      \"tick_min\": ", sums.tick_min);
    field(",\n      \"tick_max\": ", sums.tick_max);
    field(",\n      \"row_count\": ", sums.row_count);
    field(",\n      \"byte_size\": ", sums.byte_size);
    list(",\n      \"parts\": [", parts, [&](const PartRecord& part) { add_part(part.meta); });
    // Facts that the contract's part objects have no room for, in the order of the parts.
    list(",\n      \"xxh3\": [", parts, [&](const PartRecord& part) { value(part.checksum); });
    list(",\n      \"schemas\": [", parts, [&](const PartRecord& part) { value(part.schema); });
    list(",\n      \"seqs\": [", parts, [&](const PartRecord& part) { value(part.seq); });
    text_ += "\n    }";
  }

  void add_part(const PartMeta& part) {
    field("{\n          \"path\": ", part.path);
    field(",\n          \"rows\": ", part.rows);
    field(",\n          \"bytes\": ", part.bytes);
    field(",\n          \"tick_min\": ", part.tick_min);
    field(",\n          \"tick_max\": ", part.tick_max);
    field(",\n          \"created_at\": ", part.created_at);
    text_ += "\n        }";
  }

  template <class Item>
  void list(std::string_view begin, const std::vector<PartRecord>& parts, const Item& item) {
    text_ += begin;
    for (const PartRecord& part : parts) {
      text_ += &part == &parts.front() ? "\n        " : ",\n        ";
      item(part);
    }
    text_ += "\n      ]";
  }

  template <class Value>
  void field(std::string_view key, const Value& content) {
    text_ += key;
    value(content);
  }

  void value(std::int64_t number) {
    char digits[20];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }

  void value(const std::string& content) {
    const bool plain = std::all_of(content.begin(), content.end(),
                                   [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
    if (plain)
      ((text_ += '"') += content) += '"';
    else
      write_json(Json(content), kManifestStyle, text_);
  }

  std::string& text_;
};

void check_buckets(const std::vector<PartRecord>& parts, std::int64_t bucket_size, const Origin& origin) {
  for (const PartRecord& part : parts)
    if (!lie_in_bucket(part.meta.tick_min, part.meta.tick_max, part.bucket, bucket_size))
      raise(ErrorCode::manifest_damaged,
            origin.path + " is damaged: part " + part.meta.path + " does not belong to bucket " +
                std::to_string(part.bucket) + ".",
            {.table = origin.table, .path = origin.path, .bucket = part.bucket});
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
  for (const PartitionMeta& p : partitions) sum = capped_sum(sum, p.row_count);
  return sum;
}

std::int64_t TableManifest::bytes() const {
  std::int64_t sum = 0;
  for (const PartitionMeta& p : partitions) sum = capped_sum(sum, p.byte_size);
  return sum;
}

std::int64_t TableManifest::parts() const {
  std::int64_t sum = 0;
  for (const PartitionMeta& p : partitions) sum += static_cast<std::int64_t>(p.parts.size());
  return sum;
}

std::string to_json(const TableManifest& manifest) {
  return write_json(head_of(manifest), kManifestStyle);
}

std::string encode_manifest(const TableState& state) {
  state.load_parts();  // only then their number is exact
  JsonObject before, after;
  before.push_back("table", state.table);
  before.push_back("version", TableManifest{}.version);
  before.push_back("created_at", state.created_at);
  before.push_back("updated_at", state.updated_at);
  after.push_back("last_seq", state.position);
  after.push_back("last_id", state.position_id);
  if (state.unknown_parts() == 0) after.push_back("part_count", state.parts());
  JsonArray schemas;
  for (const SeenSchema& schema : state.schemas()) {
    JsonObject s;
    s.push_back("id", schema.id);
    s.push_back("seq", schema.seq);
    s.push_back("columns", columns_to_json(schema.columns));
    schemas.emplace_back(std::move(s));
  }
  after.push_back("schemas", std::move(schemas));
  if (state.definition) after.push_back("definition", core::to_json(*state.definition));
  if (const GoneNames gone = state.gone(); !gone.empty()) after.push_back("gone", to_json(gone));
  after.push_back("format", state.format);
  std::string text = write_json(std::move(before), kManifestStyle);
  text.resize(text.size() - 2);  // "\n}"
  text += ",\n  ";
  PartitionsText(state, text);
  text += ',';
  text += std::string_view(write_json(std::move(after), kManifestStyle)).substr(1);  // after "{"
  seal(text, Layout::indented);
  return text;
}

TableState decode_manifest(std::string_view text, const std::string& table, const std::string& path) {
  Origin origin{ErrorCode::manifest_damaged, "The manifest of table " + table, path, table};
  const bool ours = is_sealed(text, Layout::indented);
  try {
    if (!ours) check_unsealed(text, origin);
    return read_manifest(text, ours, origin);
  } catch (const IoManifestError&) {
    if (ours) check_format(Checked(parse_sound(text, origin), origin));  // a newer one may look different
    throw;
  }
}

TableState open_manifest(Reader& file, const std::string& table, const std::string& path,
                         std::int64_t bucket_size) {
  const Origin origin{ErrorCode::manifest_damaged, "The manifest of table " + table, path, table};
  if (std::optional<StreamedManifest> streamed = stream_manifest(file, bucket_size)) try {
      auto [state, count] = read_manifest_head(streamed->around, origin);
      if (count == std::ssize(streamed->list.parts)) {
        state.defer(std::make_shared<const PartList>(std::move(streamed->list)));
        return std::move(state);
      }
    } catch (const IoManifestError&) {  // reading all of it tells better what is wrong
    }
  TableState state = decode_manifest(read_whole(file, path), table, path);
  for (const auto& [bucket, parts] : state.buckets()) check_buckets(parts, bucket_size, origin);
  return state;
}

}  // namespace crv::io
