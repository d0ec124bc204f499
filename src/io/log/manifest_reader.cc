#include "io/log/manifest_reader.h"

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/rapidjson.h"
#include "crv/core/shown.h"
#include "io/base/sums.h"
#include "io/log/commit.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

// Takes what RapidJSON finds, which calls before it passes a bracket. `at_` is the container that it is in,
// `key_` the last key it saw there.
class ManifestReader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, ManifestReader> {
 public:
  enum class At {
    document,
    top,
    partitions,
    partition,
    parts,
    part,
    checksums,
    schema_ids,
    seqs,
    schemas,
    schema
  };

  ManifestReader(bool ours, const Origin& origin, const rapidjson::MemoryStream& in)
      : ours_(ours), origin_(origin), in_(in) {}

  bool Null() { return other("null"); }
  bool Bool(bool value) { return other(value ? "true" : "false"); }
  bool Int(int value) { return integer(value); }
  bool Uint(unsigned value) { return integer(value); }
  bool Int64(std::int64_t value) { return integer(value); }
  // Any number from 2^32 on, also where it fits into 63 bits.
  bool Uint64(std::uint64_t value) {
    return value <= INT64_MAX ? integer(static_cast<std::int64_t>(value)) : other(std::to_string(value));
  }
  bool Double(double value) { return other(format_double(value)); }
  bool String(const char* text, rapidjson::SizeType size, bool) { return text_value({text, size}); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    key_.assign(text, size);
    return true;
  }
  bool StartObject();
  bool EndObject(rapidjson::SizeType);
  bool StartArray();
  bool EndArray(rapidjson::SizeType);

  TableState take_head();
  std::vector<PartRecord> take_parts() { return std::move(parts_); }
  std::optional<std::int64_t> part_count() const { return part_count_.value; }

 private:
  // A value that must be there; complains by its key where it is not.
  template <class T>
  struct Needed {
    const char* key;
    std::optional<T> value{};
  };
  struct Partition {
    std::string key;
    Needed<std::int64_t> bucket{"bucket_id"}, rows{"row_count"}, bytes{"byte_size"};
    bool has_parts = false;
    std::vector<PartRecord> parts;
    std::vector<std::string> checksums, schema_ids;
    std::vector<std::int64_t> seqs;
  };
  struct Part {
    Needed<std::string> path{"path"}, created_at{"created_at"};
    Needed<std::int64_t> rows{"rows"}, bytes{"bytes"}, tick_min{"tick_min"}, tick_max{"tick_max"};
  };
  struct Schema {
    Needed<std::string> id{"id"};
    Needed<std::int64_t> seq{"seq"};
    std::string_view columns;
  };

  template <class T>
  T take(Needed<T>& needed) const {
    if (!needed.value) damaged(needed.key, "is missing");
    return std::move(*needed.value);
  }

  [[noreturn]] void damaged(const std::string& key, const std::string& why) const {
    origin_.damaged('"' + key + "\" " + why, key);
  }
  [[noreturn]] void impossible(const std::string& value) const {
    origin_.damaged('"' + key_ + "\" has the impossible value " + value, key_, value);
  }

  std::int64_t sum(const char* key, std::int64_t a, std::int64_t b) const {
    const std::optional<std::int64_t> sum = sum_if_fits(a, b);
    if (!sum) damaged(key, "adds up to more than 64 bits can hold");
    return *sum;
  }

  bool integer(std::int64_t value);
  bool text_value(std::string_view text);
  bool other(const std::string& value);
  Needed<std::int64_t>* integer_field(std::int64_t* least);
  Needed<std::string>* text_field();
  bool open(bool is_object);
  bool skipped();
  void end_part();
  void end_partition();
  void end_schema();

  const bool ours_;
  const Origin& origin_;
  const rapidjson::MemoryStream& in_;
  std::vector<PartRecord> parts_;
  std::int64_t rows_ = 0, bytes_ = 0;  // of parts_
  std::vector<SeenSchema> schemas_;
  At at_ = At::document;
  std::string key_;
  int skipping_ = 0;                  // depth of a value that nobody needs, or whose text is kept
  std::string_view* kept_ = nullptr;  // where that text goes
  std::size_t kept_begin_ = 0;
  Needed<std::string> table_{"table"}, created_at_{"created_at", ""}, updated_at_{"updated_at", ""},
      last_id_{"last_id"};
  Needed<std::int64_t> last_seq_{"last_seq"}, format_{"format"}, part_count_{"part_count"};
  bool has_schemas_ = false;
  std::string_view gone_, definition_;
  Partition partition_;
  Part part_;
  Schema schema_;
};

ManifestReader::Needed<std::int64_t>* ManifestReader::integer_field(std::int64_t* least) {
  *least = Checked::lowest;
  switch (at_) {
    case At::top:
      *least = key_ == "format" ? 1 : 0;
      if (!ours_) return nullptr;
      for (Needed<std::int64_t>* field : {&last_seq_, &format_, &part_count_})
        if (key_ == field->key) return field;
      return nullptr;
    case At::partition:
      if (key_ == "row_count") return &partition_.rows;
      if (key_ == "byte_size") return &partition_.bytes;
      *least = 0;
      return key_ == "bucket_id" ? &partition_.bucket : nullptr;
    case At::part:
      *least = key_ == "rows" || key_ == "bytes" ? 1 : 0;
      if (key_ == "rows") return &part_.rows;
      if (key_ == "bytes") return &part_.bytes;
      if (key_ == "tick_min") return &part_.tick_min;
      return key_ == "tick_max" ? &part_.tick_max : nullptr;
    case At::schema:
      *least = 0;
      return key_ == "seq" ? &schema_.seq : nullptr;
    default:
      return nullptr;
  }
}

ManifestReader::Needed<std::string>* ManifestReader::text_field() {
  if (at_ == At::top) {
    for (Needed<std::string>* field : {&table_, &created_at_, &updated_at_, &last_id_})
      if (key_ == field->key) return field;
  }
  if (at_ == At::part)
    return key_ == "path" ? &part_.path : key_ == "created_at" ? &part_.created_at : nullptr;
  return at_ == At::schema && key_ == "id" ? &schema_.id : nullptr;
}

bool ManifestReader::integer(std::int64_t value) {
  if (skipping_ > 0) return true;
  if (at_ == At::seqs) {
    if (value < 0) impossible(std::to_string(value));
    partition_.seqs.push_back(value);
    return true;
  }
  std::int64_t least = 0;
  Needed<std::int64_t>* field = integer_field(&least);
  if (!field) return other(std::to_string(value));
  if (value < least) impossible(std::to_string(value));
  field->value = value;
  return true;
}

bool ManifestReader::text_value(std::string_view text) {
  if (skipping_ > 0) return true;
  if (at_ == At::checksums || at_ == At::schema_ids) {
    (at_ == At::checksums ? partition_.checksums : partition_.schema_ids).emplace_back(text);
    return true;
  }
  Needed<std::string>* field = text_field();
  if (!field) return other('"' + shortened(text, 80) + '"');
  field->value = text;
  return true;
}

// A value that is not of the kind that its place asks for, or that nobody asked for.
bool ManifestReader::other(const std::string& value) {
  if (skipping_ > 0) return true;
  if (at_ == At::document || at_ == At::partitions || at_ == At::parts || at_ == At::checksums ||
      at_ == At::schema_ids || at_ == At::seqs || at_ == At::schemas)
    impossible(value);
  bool may_be_null = at_ == At::top && (key_ == "created_at" || key_ == "updated_at" || key_ == "partitions");
  if (value == "null" && may_be_null) return true;
  std::int64_t least = 0;
  bool container = (at_ == At::top && (key_ == "partitions" || (ours_ && key_ == "schemas"))) ||
                   (at_ == At::partition && key_ == "parts") || (at_ == At::schema && key_ == "columns");
  bool is_list_of_ours =
      ours_ && at_ == At::partition && (key_ == "xxh3" || key_ == "schemas" || key_ == "seqs");
  if (container || is_list_of_ours || integer_field(&least) || text_field()) impossible(value);
  return true;
}

// Enters the container that begins here: one that is wanted, or one to be passed over.
bool ManifestReader::open(bool is_object) {
  if (skipping_ > 0) {
    ++skipping_;
    return true;
  }
  auto enter = [&](At inner) {
    at_ = inner;
    return true;
  };
  if (is_object) {
    if (at_ == At::document) return enter(At::top);
    if (at_ == At::top && key_ == "partitions") return enter(At::partitions);
    if (at_ == At::partitions) {
      partition_ = {};
      partition_.key = key_;
      return enter(At::partition);
    }
    if (at_ == At::parts) {
      part_ = {};
      return enter(At::part);
    }
    if (at_ == At::schemas) {
      schema_ = {};
      return enter(At::schema);
    }
  } else if (at_ == At::partition && key_ == "parts") {
    partition_.parts.clear();
    partition_.has_parts = true;
    return enter(At::parts);
  } else if (at_ == At::partition && ours_) {
    if (key_ == "xxh3") return enter(At::checksums);
    if (key_ == "schemas") return enter(At::schema_ids);
    if (key_ == "seqs") return enter(At::seqs);
  } else if (at_ == At::top && ours_ && key_ == "schemas") {
    has_schemas_ = true;
    return enter(At::schemas);
  }
  if (is_object && at_ == At::schema && key_ == "columns") kept_ = &schema_.columns;
  if (!is_object && at_ == At::top && ours_ && key_ == "gone") kept_ = &gone_;
  if (is_object && at_ == At::top && ours_ && key_ == "definition") kept_ = &definition_;
  if (!kept_) other(is_object ? "an object" : "an array");
  kept_begin_ = in_.Tell();
  skipping_ = 1;
  return true;
}

bool ManifestReader::StartObject() {
  return open(true);
}
bool ManifestReader::StartArray() {
  return open(false);
}

bool ManifestReader::EndObject(rapidjson::SizeType) {
  if (skipping_ > 0) return skipped();
  switch (at_) {
    case At::part:
      end_part();
      at_ = At::parts;
      break;
    case At::partition:
      end_partition();
      at_ = At::partitions;
      break;
    case At::schema:
      end_schema();
      at_ = At::schemas;
      break;
    default:
      at_ = at_ == At::partitions ? At::top : At::document;
  }
  return true;
}

bool ManifestReader::EndArray(rapidjson::SizeType) {
  if (skipping_ > 0) return skipped();
  at_ = at_ == At::schemas ? At::top : At::partition;
  return true;
}

// A bracket inside of what is passed over, or the one that ends it.
bool ManifestReader::skipped() {
  if (--skipping_ == 0 && kept_) {
    *kept_ = {in_.begin_ + kept_begin_, in_.Tell() + 1 - kept_begin_};
    kept_ = nullptr;
  }
  return true;
}

void ManifestReader::end_part() {
  PartRecord part;
  part.meta.path = take(part_.path);
  if (!is_part_file(part.meta.path))
    damaged("path", "is not the bare name of a part file: " + part.meta.path);
  part.meta.rows = take(part_.rows);
  part.meta.bytes = take(part_.bytes);
  part.meta.tick_min = take(part_.tick_min);
  part.meta.tick_max = take(part_.tick_max);
  if (part.meta.tick_max < part.meta.tick_min) damaged("tick_max", "is below tick_min");
  part.meta.created_at = take(part_.created_at);
  partition_.parts.push_back(std::move(part));
}

void ManifestReader::end_partition() {
  Partition& p = partition_;
  const std::int64_t bucket = take(p.bucket);
  if (bucket_key(bucket) != p.key) damaged("bucket_id", "is not that of its key \"" + p.key + '"');
  if (!p.has_parts) damaged("parts", "is missing");
  std::int64_t rows = 0, bytes = 0;
  for (const PartRecord& part : p.parts) {
    rows = sum("row_count", rows, part.meta.rows);
    bytes = sum("byte_size", bytes, part.meta.bytes);
  }
  if (take(p.rows) != rows) damaged("row_count", "is not the sum over the partition's parts");
  if (take(p.bytes) != bytes) damaged("byte_size", "is not the sum over the partition's parts");
  rows_ = sum("row_count", rows_, rows);
  bytes_ = sum("byte_size", bytes_, bytes);
  const std::size_t count = ours_ ? p.parts.size() : 0;
  if (p.checksums.size() != count || p.schema_ids.size() != count || p.seqs.size() != count)
    damaged("xxh3", "has not one entry a part");
  for (std::size_t i = 0; i < p.parts.size(); ++i) {
    PartRecord& part = p.parts[i];
    part.bucket = bucket;
    if (ours_) {
      part.checksum = std::move(p.checksums[i]);
      part.schema = std::move(p.schema_ids[i]);
      part.seq = p.seqs[i];
    }
    parts_.push_back(std::move(part));
  }
}

void ManifestReader::end_schema() {
  if (schema_.columns.empty()) damaged("columns", "is missing");
  schemas_.push_back(
      {take(schema_.id), take(schema_.seq), columns_from_json(parse_sound(schema_.columns, origin_))});
}

TableState ManifestReader::take_head() {
  if (take(table_) != origin_.table) damaged("table", "names another table");
  TableState state(origin_.table);
  state.created_at = take(created_at_);
  state.updated_at = take(updated_at_);
  state.manifest_position = -1;
  if (!ours_) return state;
  state.format = take(format_);
  const Json format = JsonObject{{"format", state.format}};
  check_format(Checked(format, origin_));
  if (!has_schemas_) damaged("schemas", "is missing");
  for (SeenSchema& schema : schemas_) state.learn(schema);
  state.position = take(last_seq_);
  if (state.position == INT64_MAX) damaged("last_seq", "leaves no number for a commit after it");
  state.position_id = take(last_id_);
  state.manifest_position = state.position;
  if (!definition_.empty())
    state.definition = definition_from_json(parse_sound(definition_, origin_), origin_.table, origin_);
  if (!gone_.empty()) state.set_gone(gone_from_json(parse_sound(gone_, origin_), origin_));
  return state;
}

template <class Take>
auto read(std::string_view text, bool ours, const Origin& origin, const Take& take) {
  rapidjson::MemoryStream in(text.data(), text.size());
  rapidjson::Reader parser;
  ManifestReader reader(ours, origin, in);
  constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  const rapidjson::ParseResult result = parser.Parse<flags>(in, reader);
  if (result.IsError())
    origin.damaged(std::string(rapidjson::GetParseError_En(result.Code())) + " (at byte " +
                   std::to_string(result.Offset()) + ")");
  return take(reader);
}

}  // namespace

TableState read_manifest(std::string_view text, bool ours, const Origin& origin) {
  return read(text, ours, origin, [&](ManifestReader& reader) {
    TableState state = reader.take_head();
    std::vector<PartRecord> parts = reader.take_parts();
    if (reader.part_count().value_or(std::ssize(parts)) != std::ssize(parts))
      origin.damaged("\"part_count\" is not the number of its parts", "part_count");
    std::unordered_map<std::string_view, std::int64_t> buckets;
    for (const PartRecord& part : parts)
      if (const auto [held, fresh] = buckets.try_emplace(part.meta.path, part.bucket);
          !fresh && held->second != part.bucket)
        origin.damaged("part " + part.meta.path + " is listed in bucket " + std::to_string(held->second) +
                           " and in bucket " + std::to_string(part.bucket),
                       "path", part.meta.path);
    for (PartRecord& part : parts) state.add(std::move(part));
    return state;
  });
}

ManifestHead read_manifest_head(std::string_view text, const Origin& origin) {
  return read(text, true, origin, [](ManifestReader& reader) {
    return ManifestHead{reader.take_head(), reader.part_count()};
  });
}

}  // namespace crv::io
