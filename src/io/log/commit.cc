#include "io/log/commit.h"

#include <algorithm>
#include <array>

#include "core/number_text.h"
#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/base/sums.h"
#include "io/log/checked_json.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

constexpr std::array<std::pair<CommitKind, std::string_view>, 6> kKindNames{{
    {CommitKind::append, "append"},
    {CommitKind::define, "define"},
    {CommitKind::adopt, "adopt"},
    {CommitKind::rebuild, "rebuild"},
    {CommitKind::gc, "gc"},
    {CommitKind::fence, "fence"},
}};

Json part_names(const std::vector<PartName>& names) {
  JsonArray out;
  for (const PartName& name : names) out.push_back(JsonArray{name.bucket, name.file});
  return out;
}

Json to_json(const PartRecord& part) {
  JsonObject o;
  o.push_back("bucket", part.bucket);
  o.push_back("path", part.meta.path);
  o.push_back("rows", part.meta.rows);
  o.push_back("bytes", part.meta.bytes);
  o.push_back("tick_min", part.meta.tick_min);
  o.push_back("tick_max", part.meta.tick_max);
  o.push_back("created_at", part.meta.created_at);
  o.push_back("xxh3", part.checksum);
  o.push_back("schema", part.schema);
  if (!part.token.empty()) o.push_back("token", part.token);
  return o;
}

Json to_json(const TableChange& change) {
  JsonObject o;
  o.push_back("table", change.table);
  if (change.definition) o.push_back("definition", core::to_json(*change.definition));
  if (!change.schemas.empty()) {
    JsonObject schemas;
    for (const auto& [id, columns] : change.schemas) schemas.push_back(id, columns_to_json(columns));
    o.push_back("schemas", std::move(schemas));
  }
  JsonArray added;
  for (const PartRecord& part : change.added) added.push_back(to_json(part));
  o.push_back("added", std::move(added));
  if (!change.removed.empty()) o.push_back("removed", part_names(change.removed));
  if (!change.condemned.empty()) o.push_back("condemned", part_names(change.condemned));
  return o;
}

PartRecord part_from(const Checked& json, std::int64_t seq) {
  PartRecord part;
  part.bucket = json.integer("bucket", 0);
  part.meta.path = json.text("path");
  if (!is_part_file(part.meta.path)) json.damaged("path", "is no part file's name");
  part.meta.rows = json.integer("rows", 1);
  part.meta.bytes = json.integer("bytes", 1);
  part.meta.tick_min = json.integer("tick_min", 0);
  part.meta.tick_max = json.integer("tick_max", part.meta.tick_min);
  part.meta.created_at = json.text("created_at");
  part.checksum = json.text("xxh3");
  part.schema = json.text("schema");
  if (json.find("token")) part.token = json.text("token");
  part.seq = seq;
  return part;
}

std::vector<PartName> names_from(const Checked& json, std::string_view key) {
  std::vector<PartName> names;
  for (const Checked& pair : json.items_if_any(key)) {
    PartName name{pair.integer_at(0, 0), pair.text_at(1)};
    if (!is_part_file(name.file)) json.damaged(key, "holds what is no part file's name");
    names.push_back(std::move(name));
  }
  return names;
}

// Of the parts that a commit adds.
struct Counts {
  std::int64_t rows = 0, bytes = 0;
};

std::int64_t sum(const Checked& json, std::string_view key, std::int64_t a, std::int64_t b) {
  const std::optional<std::int64_t> sum = sum_if_fits(a, b);
  if (!sum) json.damaged(key, "adds up to more than 64 bits can hold");
  return *sum;
}

TableChange change_from(const Checked& json, const Commit& commit, const Origin& origin, Counts& counts) {
  const std::int64_t seq = commit.seq;
  TableChange change;
  change.table = json.text("table");
  if (const Json* definition = json.find("definition")) {
    if (commit.kind != CommitKind::define && commit.kind != CommitKind::rebuild)
      json.damaged("definition", "stands in a commit of another kind");
    change.definition = definition_from_json(*definition, change.table, origin);
  }
  if (const Json* schemas = json.find("schemas")) {
    const auto* object = schemas->get_if<JsonObject>();
    if (!object) json.damaged("schemas", "is no object");
    for (const auto& [id, columns] : *object) {
      change.schemas.emplace_back(id, columns_from_json(columns));
      if (schema_id(change.schemas.back().second) != id) json.damaged("schemas", "does not hash to its id");
    }
  }
  for (const Checked& item : json.items("added")) {
    const PartRecord& part = change.added.emplace_back(part_from(item, seq));
    counts.rows = sum(item, "rows", counts.rows, part.meta.rows);
    counts.bytes = sum(item, "bytes", counts.bytes, part.meta.bytes);
  }
  change.removed = names_from(json, "removed");
  change.condemned = names_from(json, "condemned");
  return change;
}

Origin fold_origin(const std::string& path, std::int64_t first, std::int64_t last) {
  return {ErrorCode::log_damaged, "fold " + std::to_string(first) + "-" + std::to_string(last), path, "",
          first};
}

}  // namespace

std::string_view name_of(CommitKind kind) {
  for (const auto& [k, name] : kKindNames)
    if (k == kind) return name;
  return "";
}

void TableChange::add(PartRecord part, const Columns& columns, bool table_knows_schema) {
  const bool brought =
      std::ranges::any_of(schemas, [&](const auto& schema) { return schema.first == part.schema; });
  if (!brought && !table_knows_schema) schemas.emplace_back(part.schema, columns);
  added.push_back(std::move(part));
}

TableChange& Commit::change_of(std::string_view table) {
  for (TableChange& change : tables)
    if (change.table == table) return change;
  tables.push_back({.table = std::string(table)});
  return tables.back();
}

const TableChange* Commit::find(std::string_view table) const {
  for (const TableChange& change : tables)
    if (change.table == table) return &change;
  return nullptr;
}

std::string token_text(const Token& token) {
  return token.writer + ' ' + std::to_string(token.number);
}

std::optional<Token> parse_token_text(std::string_view text) {
  const std::size_t space = text.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto number = core::parse_number<std::int64_t>(text.substr(space + 1));
  return number ? std::optional(Token{std::string(text.substr(0, space)), *number}) : std::nullopt;
}

std::vector<Token> tokens_of(const Commit& commit) {
  std::vector<Token> tokens;
  if (commit.token) tokens.push_back(*commit.token);
  for (const TableChange& change : commit.tables)
    for (const PartRecord& part : change.added)
      if (std::optional<Token> token = parse_token_text(part.token)) tokens.push_back(*std::move(token));
  return tokens;
}

std::string encode(const Commit& commit) {
  JsonObject o;
  o.push_back("format", commit.format());
  o.push_back("seq", commit.seq);
  o.push_back("id", commit.id);
  if (!commit.prev.empty()) o.push_back("prev", commit.prev);
  o.push_back("time", commit.time);
  o.push_back("writer", commit.writer);
  o.push_back("kind", name_of(commit.kind));
  if (commit.token) {
    JsonObject token;
    token.push_back("writer", commit.token->writer);
    token.push_back("number", commit.token->number);
    o.push_back("token", std::move(token));
  }
  if (commit.complete_through) o.push_back("complete_through", *commit.complete_through);
  JsonArray tables;
  for (const TableChange& change : commit.tables) tables.push_back(to_json(change));
  o.push_back("tables", std::move(tables));
  std::string line = write_json(Json(std::move(o)));
  seal(line);
  return line + '\n';
}

Commit decode_commit(std::string_view line, const std::string& path, std::int64_t seq) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  Origin origin{ErrorCode::log_damaged, "commit " + std::to_string(seq), path, "", seq};
  if (!is_sealed(line)) origin.damaged("its checksum does not fit its bytes");
  Json whole = parse_sound(line, origin);
  Checked json(whole, origin);
  check_format(json);
  Commit commit;
  commit.seq = json.integer("seq", 1);
  if (commit.seq != seq) json.damaged("seq", "is not the number under which it stands");
  if (commit.seq == INT64_MAX) json.damaged("seq", "leaves no number for a commit after it");
  commit.id = json.text("id");
  if (!is_hex_id(commit.id)) json.damaged("id", "is no id");
  if (json.find("prev")) commit.prev = json.text("prev");
  commit.time = json.text("time");
  commit.writer = json.text("writer");
  std::string kind = json.text("kind");
  bool known = false;
  for (const auto& [k, name] : kKindNames) {
    if (name != kind) continue;
    commit.kind = k;
    known = true;
  }
  if (!known)
    raise(ErrorCode::format_too_new,
          "commit " + std::to_string(seq) + " in " + path + " is of kind \"" + kind +
              "\", which this crv does not know. A newer crv wrote it.",
          {.key = "kind", .value = kind, .path = path, .seq = seq});
  if (const Json* token = json.find("token")) {
    Checked t(*token, origin);
    commit.token = Token{t.text("writer"), t.integer("number")};
  }
  if (json.find("complete_through")) commit.complete_through = json.integer("complete_through");
  Counts counts;
  for (const Checked& change : json.items("tables"))
    commit.tables.push_back(change_from(change, commit, origin, counts));
  return commit;
}

void step(LogPosition& position, const Commit& next, const std::string& path) {
  const Origin origin{ErrorCode::log_damaged, "commit " + std::to_string(next.seq), path, "", next.seq};
  if (next.seq != position.seq + 1) origin.damaged("it follows commit " + std::to_string(position.seq));
  const bool chained = !next.prev.empty();
  if (!chained && position.format > 1 && next.kind != CommitKind::fence)
    origin.damaged("it does not say which commit is before it", "prev");
  if (chained && !position.id.empty() && next.prev != position.id)
    origin.damaged("the commit before it is not the one that it names", "prev", next.prev);
  position = {next.seq, next.id, std::max(position.format, next.format())};
}

void remember_gone(const Commit& commit, GoneTable& gone) {
  for (const TableChange& change : commit.tables)
    for (const auto* names : {&change.removed, &change.condemned})
      for (const PartName& name : *names) gone[change.table].try_emplace(name.file, name.bucket);
}

void remember_definitions(const Commit& commit, DefinitionTable& definitions) {
  for (const TableChange& change : commit.tables)
    if (change.definition) definitions[change.table] = change.definition;
}

bool is_later(const Definition& a, const Definition& b) {
  if (!a || !b) return a != nullptr;
  return std::pair(a->version.major, a->version.minor) > std::pair(b->version.major, b->version.minor);
}

Definition definition_from_json(const Json& json, std::string_view table, const Origin& origin) {
  try {
    auto definition = std::make_shared<const core::TableDescriptor>(core::table_from_json(json));
    for (const core::ColumnDescriptor& column : definition->columns)
      static_cast<void>(to_arrow(column.type));  // throws where it is none
    if (definition->name == table) return definition;
  } catch (const IoSchemaError& e) {
    origin.damaged(std::string("the definition of a table is none: ") + e.what(), "definition");
  }
  origin.damaged("it holds the definition of another table", "definition");
}

Json to_json(const GoneNames& names) {
  JsonArray out;
  for (const auto& [file, bucket] : names) out.push_back(JsonArray{bucket, file});
  return out;
}

GoneNames gone_from_json(const Json& json, const Origin& origin) {
  const auto* pairs = json.get_if<JsonArray>();
  if (!pairs) origin.damaged("\"gone\" is no array", "gone");
  GoneNames names;
  for (const Json& item : *pairs) {
    const Checked pair(item, origin);
    const std::string file = pair.text_at(1);
    if (!is_part_file(file)) origin.damaged("\"gone\" holds what is no part file's name", "gone", file);
    names.emplace(file, pair.integer_at(0, 0));
  }
  return names;
}

std::string commit_id_of(std::string_view line, const std::string& path, std::int64_t seq) {
  return decode_commit(line, path, seq).id;
}

void remember_tokens(const Commit& commit, TokenTable& tokens) {
  for (const Token& token : tokens_of(commit)) {
    auto [held, fresh] = tokens.try_emplace(token.writer, token.number, commit.seq);
    if (!fresh && held->second.first <= token.number) held->second = {token.number, commit.seq};
  }
}

std::string encode(const Fold& fold) {
  std::string text;
  for (const std::string& line : fold.lines) (text += line) += '\n';
  JsonObject tokens;
  for (const auto& [writer, last] : fold.tokens) tokens.push_back(writer, JsonArray{last.first, last.second});
  JsonObject o;
  o.push_back("format", fold.format);
  o.push_back("first", fold.first);
  o.push_back("last", fold.last);
  o.push_back("tokens", std::move(tokens));
  if (!fold.gone.empty()) {
    JsonObject gone;
    for (const auto& [table, names] : fold.gone) gone.push_back(table, to_json(names));
    o.push_back("gone", std::move(gone));
  }
  if (!fold.definitions.empty()) {
    JsonObject definitions;
    for (const auto& [table, definition] : fold.definitions)
      definitions.push_back(table, core::to_json(*definition));
    o.push_back("definitions", std::move(definitions));
  }
  std::string line = write_json(Json(std::move(o)));
  seal(line);
  return text + line + '\n';
}

Fold decode_fold_line(std::string_view line, const std::string& path, std::int64_t first, std::int64_t last) {
  const Origin origin = fold_origin(path, first, last);
  Fold fold{.first = first, .last = last};
  Json whole = parse_sound(line, origin);
  Checked json(whole, origin);
  check_format(json);
  if (json.integer("first") != first || json.integer("last") != last)
    origin.damaged("its last line names another range");
  for (const auto& [writer, pair] : json.object("tokens")) {
    Checked numbers(pair, origin);
    fold.tokens[writer] = {numbers.integer_at(0), numbers.integer_at(1, 1)};
  }
  fold.format = json.integer("format", 1);
  if (json.find("gone"))
    for (const auto& [table, names] : json.object("gone")) fold.gone[table] = gone_from_json(names, origin);
  if (json.find("definitions"))
    for (const auto& [table, definition] : json.object("definitions"))
      fold.definitions[table] = definition_from_json(definition, table, origin);
  return fold;
}

Fold decode_fold(std::string_view text, const std::string& path, std::int64_t first, std::int64_t last) {
  const Origin origin = fold_origin(path, first, last);
  Fold fold{.first = first, .last = last};
  std::int64_t count = last - first + 1;
  for (std::int64_t i = 0; i <= count; ++i) {
    std::size_t end = text.find('\n');
    if (end == std::string_view::npos) origin.damaged("it ends before its last line");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!is_sealed(line))
      origin.damaged("the checksum of line " + std::to_string(i + 1) + " does not fit its bytes");
    if (i < count) {
      fold.lines.emplace_back(line);
      continue;
    }
    Fold told = decode_fold_line(line, path, first, last);
    told.lines = std::move(fold.lines);
    fold = std::move(told);
  }
  if (!text.empty()) origin.damaged("something follows its last line");
  return fold;
}

}  // namespace crv::io
