// A commit and a fold: what the log consists of, and their text on disk (docs/format.md). No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crv/core/descriptor.h"
#include "crv/io/manifest.h"
#include "crv/io/token.h"
#include "io/log/checked_json.h"
#include "io/schema/types.h"

namespace crv::io {

// Persisted by name; a name is never given to something else. Each says what its commit is allowed to hold.
enum class CommitKind {
  append,   // parts of one append, over all its tables
  define,   // the same of an append that also defines tables of the user's own, or a definition alone
  adopt,    // parts that others than crv wrote and listed; parts that a caller's manifest lets go
  rebuild,  // all parts and definitions of all tables, as they were found; the first commit of a new log
  gc,       // names of uncommitted parts that are about to be removed: nobody may commit them any more
  fence,    // nothing: a rebuild has begun, and no commit may follow in this log
};
std::string_view name_of(CommitKind kind);

// A part as a commit or manifest names it.
struct PartRecord {
  PartMeta meta;
  std::int64_t bucket = 0;
  std::string checksum;  // 16 hex digits, XXH3-64 of the whole file; empty: not known (older package)
  std::string schema;    // schema id; empty: not known (older package)
  std::int64_t seq = 0;  // the commit that added it; 0: only listed by the older package
  std::string token;     // only in a rebuild: \"<writer> <number>\" of the append it came from, or empty
};

struct PartName {
  std::int64_t bucket = 0;
  std::string file;
  bool operator==(const PartName&) const = default;
};

// What a table of the user's own is; nullptr where nothing says. Never changes.
using Definition = std::shared_ptr<const core::TableDescriptor>;

struct TableChange {
  std::string table;
  Definition definition{};                                 // from this commit on
  std::vector<std::pair<std::string, Columns>> schemas{};  // by id; those that the table had not seen before
  std::vector<PartRecord> added{};
  std::vector<PartName> removed{};
  std::vector<PartName> condemned{};

  // Adds a part, and the schema that it has unless the table knows it.
  void add(PartRecord part, const Columns& columns, bool table_knows_schema);
};

struct Commit {
  std::int64_t seq = 0;
  std::string id;      // 32 hex digits
  std::string prev;    // id of the commit before it, of commit 1 the run's identity; empty: format 1
  std::string time;    // ISO 8601, UTC
  std::string writer;  // 32 hex digits: the Dataset that wrote it
  CommitKind kind = CommitKind::append;
  std::optional<Token> token;
  std::optional<std::int64_t> complete_through;
  std::vector<TableChange> tables;

  const TableChange* find(std::string_view table) const;
  TableChange& change_of(std::string_view table);  // made where it is missing
  std::int64_t format() const { return prev.empty() && kind != CommitKind::fence ? 1 : kFormatNumber; }
};

// The last commit of a log that a reader has come to: number and id (at 0 the run's identity), and the
// highest format at or below it.
struct LogPosition {
  std::int64_t seq = 0;
  std::string id;
  std::int64_t format = 1;
};
// Steps to `next`. Throws log_damaged where it is not the next one, or does not name the one before as
// `prev`.
void step(LogPosition& position, const Commit& next, const std::string& path);

// The tokens that a commit uses up: its own, or in a rebuild those of the appends that it brings back.
std::vector<Token> tokens_of(const Commit& commit);
std::string token_text(const Token& token);                    // "<writer> <number>"
std::optional<Token> parse_token_text(std::string_view text);  // nothing where it is no such text

// One line, newline included.
std::string encode(const Commit& commit);
// Throws IoManifestError (log_damaged, or format_too_new). `path` and `seq` are where it stands and what it
// must be.
Commit decode_commit(std::string_view line, const std::string& path, std::int64_t seq);

// Last number and its seq of every token writer, at the end of a fold.
using TokenTable = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;

// Notes the tokens of a commit. A writer's numbers only rise.
void remember_tokens(const Commit& commit, TokenTable& tokens);

// Names of parts that were removed or condemned, with their buckets, by table. A name that is gone never
// comes back.
using GoneNames = std::map<std::string, std::int64_t>;
using GoneTable = std::map<std::string, GoneNames>;
void remember_gone(const Commit& commit, GoneTable& gone);

// What each table of the user's own is, as the last commit that defines it says.
using DefinitionTable = std::map<std::string, Definition>;
void remember_definitions(const Commit& commit, DefinitionTable& definitions);
// Whether `a` is defined by a later commit of one log than `b`: versions only rise. A definition is later than
// none.
bool is_later(const Definition& a, const Definition& b);

struct Fold {
  std::int64_t first = 0, last = 0;
  std::vector<std::string> lines{};  // of its commits, without newlines, checked
  TokenTable tokens{};
  GoneTable gone{};
  DefinitionTable definitions{};
  std::int64_t format = 1;  // the highest of its commits and of the folds below
};
std::string encode(const Fold& fold);
Fold decode_fold(std::string_view text, const std::string& path, std::int64_t first, std::int64_t last);
// Its own line alone, which is known to be sealed: a fold without commits.
Fold decode_fold_line(std::string_view line, const std::string& path, std::int64_t first, std::int64_t last);

// The id of a line that is known to be sound, without decoding all of it.
std::string commit_id_of(std::string_view line, const std::string& path, std::int64_t seq);

// [[bucket, name], ...], as commits, folds and manifests have it.
Json to_json(const GoneNames& names);
GoneNames gone_from_json(const Json& json, const Origin& origin);

// The definition of the table of that name as it stands on disk, where anything may stand.
Definition definition_from_json(const Json& json, std::string_view table, const Origin& origin);

}  // namespace crv::io
