#include "io/part/part_footer.h"

#include <optional>

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <arrow/util/key_value_metadata.h>

#include "core/number_text.h"
#include "crv/core/definition.h"
#include "io/arrow/arrow_types.h"
#include "io/storage/paths.h"

namespace crv::io {

namespace {

constexpr const char* kSchemaVersion = "crv_schema_version";
constexpr const char* kTable = "crv_table_name";
constexpr const char* kRunId = "crv_run_id";
constexpr const char* kAppendId = "crv_append_id";
constexpr const char* kAppendParts = "crv_append_parts";
constexpr const char* kReplaces = "crv_replaces";
constexpr const char* kToken = "crv_token";
constexpr const char* kCreatedAt = "crv_created_at";
constexpr const char* kColumns = "crv_columns";
constexpr const char* kDefinition = "crv_definition";
constexpr const char* kArrowSchema = "ARROW:schema";

// As Arrow's own writer makes it: an IPC message in base64.
std::string arrow_schema_text(const arrow::Schema& schema) {
  const auto message = check(arrow::ipc::SerializeSchema(schema), ErrorCode::write_failed);
  return arrow::util::base64_encode(std::string_view(*message));
}

class KeyReader {
 public:
  KeyReader(const arrow::KeyValueMetadata* keys, const std::string& path) : keys_(keys), path_(path) {}

  std::optional<std::string> text(const char* key) const {
    const int at = keys_ == nullptr ? -1 : keys_->FindKey(key);
    if (at < 0) return std::nullopt;
    return keys_->value(at);
  }

  std::int64_t count(const char* key) const {
    const std::optional<std::string> value = text(key);
    if (!value) return 0;
    const auto number = core::parse_number<std::int64_t>(*value);
    if (!number || *number < 1) damaged(key, *value, "a number from 1 on");
    return *number;
  }

  std::vector<std::string> part_files(const char* key) const {
    std::vector<std::string> names;
    const std::optional<std::string> value = text(key);
    if (!value) return names;
    const Json json = parse(key, *value);
    const JsonArray* array = json.get_if<JsonArray>();
    if (!array) damaged(key, *value, "a JSON array");
    for (const Json& item : *array) {
      const std::string* name = item.get_if<std::string>();
      if (!name || !is_part_file(*name)) damaged(key, *value, "names of part files");
      names.push_back(*name);
    }
    return names;
  }

  std::optional<Columns> columns(const char* key) const {
    const std::optional<std::string> value = text(key);
    if (!value) return std::nullopt;
    try {
      return columns_from_json(parse(key, *value));
    } catch (const IoManifestError& error) {
      damaged(key, *value, std::string("types of columns (") + error.what() + ")");
    }
  }

  Definition definition(const char* key) const {
    const std::optional<std::string> value = text(key);
    if (!value) return nullptr;
    const std::string table = text(kTable).value_or("");
    const Origin origin{ErrorCode::part_damaged, "The footer's " + std::string(key), path_, table};
    return definition_from_json(parse(key, *value), table, origin);
  }

  // No checksum guards a footer. A part that crv wrote must not pass for one of the older package.
  void check_append_id(const PartFooter& footer) const {
    const bool ours = footer.append_parts > 0 || !footer.created_at.empty() || text(kColumns);
    if (footer.append_id.empty() ? ours : !is_hex_id(footer.append_id))
      damaged(kAppendId, footer.append_id, "an id");
  }

 private:
  Json parse(const char* key, const std::string& value) const {
    try {
      return parse_json(value);
    } catch (const SchemaError& error) {
      damaged(key, value, error.what());
    }
  }

  [[noreturn]] void damaged(const char* key, const std::string& value, const std::string& expected) const {
    ErrorFacts facts;
    facts.path = path_;
    facts.key = key;
    facts.value = value;
    raise(ErrorCode::part_damaged, path_ + ": the footer's " + key + " is damaged, expected " + expected,
          facts);
  }

  const arrow::KeyValueMetadata* keys_;
  const std::string& path_;
};

}  // namespace

std::shared_ptr<const arrow::KeyValueMetadata> footer_keys(const PartFooter& footer,
                                                           const arrow::Schema& stored) {
  auto keys = std::make_shared<arrow::KeyValueMetadata>();
  keys->Append(kSchemaVersion, footer.schema_version);
  keys->Append(kTable, footer.table);
  keys->Append(kRunId, footer.run_id);
  keys->Append(kAppendId, footer.append_id);
  keys->Append(kAppendParts, std::to_string(footer.append_parts));
  if (!footer.replaces.empty())
    keys->Append(kReplaces, write_json(JsonArray(footer.replaces.begin(), footer.replaces.end())));
  if (!footer.token.empty()) keys->Append(kToken, footer.token);
  keys->Append(kCreatedAt, footer.created_at);
  keys->Append(kColumns, write_json(columns_to_json(footer.columns)));
  if (footer.definition) keys->Append(kDefinition, write_json(core::to_json(*footer.definition)));
  keys->Append(kArrowSchema, arrow_schema_text(stored));
  return keys;
}

PartFooter parse_footer_keys(const arrow::KeyValueMetadata* keys, const std::string& path) {
  const KeyReader reader(keys, path);
  PartFooter footer;
  footer.schema_version = reader.text(kSchemaVersion).value_or("");
  footer.table = reader.text(kTable).value_or("");
  footer.run_id = reader.text(kRunId).value_or("");
  footer.append_id = reader.text(kAppendId).value_or("");
  footer.append_parts = reader.count(kAppendParts);
  footer.replaces = reader.part_files(kReplaces);
  footer.token = reader.text(kToken).value_or("");
  footer.created_at = reader.text(kCreatedAt).value_or("");
  reader.check_append_id(footer);
  return footer;
}

std::optional<Columns> parse_footer_columns(const arrow::KeyValueMetadata* keys, const std::string& path) {
  return KeyReader(keys, path).columns(kColumns);
}

Definition parse_footer_definition(const arrow::KeyValueMetadata* keys, const std::string& path) {
  return KeyReader(keys, path).definition(kDefinition);
}

}  // namespace crv::io
