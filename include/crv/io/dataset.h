// A run on disk: append to its tables, scan and read them, mend and check them.
//
// What survives: once append() has returned, its rows survive a crash of the process and, with
// Durability::commit, a power cut. An append is whole or absent over all its buckets and tables. Several
// threads, processes and hosts (on a shared file system with atomic link) may append to one run at once.
//
// Thread safety: every call may be made from several threads at once on one Dataset.
//
// In a child of fork() a Dataset of the parent can only be let go of, which neither waits nor writes; other
// calls throw IoWriteError (dataset_closed). A Scan may be used there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"
#include "crv/core/json.h"
#include "crv/io/frame.h"
#include "crv/io/manifest.h"
#include "crv/io/options.h"
#include "crv/io/settings.h"
#include "crv/io/token.h"

struct ArrowArrayStream;

namespace crv::io {

// What an append with validate_rows does with rows that break a rule.
enum class OnInvalid {
  raise,  // refuse the whole append
  // Append the good rows as if the others had not been there, and put those into the run's table
  // `quarantine`, in the same commit. Invalid is a row that breaks a rule, holds a null in a required column
  // or a value that does not fit its column's type, or has a bad tick. What is wrong with a column as a whole
  // (it is missing, unknown, of a type that cannot be cast, or does not meet what the run holds) is still an
  // error.
  quarantine,
};

// Each field of an options struct has an initializer, so that {.limit = 5} draws no warning.
struct AppendOptions {
  bool validate_schema = true;  // check for missing, unknown and null columns; types are conformed always
  // Also check the model rules and column rules of docs/tables.md, and lower the case of what the models
  // lower. One error tells of every rule that a frame breaks: ErrorFacts::violations.
  bool validate_rows = false;
  OnInvalid on_invalid = OnInvalid::raise;  // anything else needs validate_rows
  // Defines what the frame has and the run does not: the table, if it is no built-in one, and columns that its
  // definition lacks. All of them may be null, and their types are those of the rows: they widen with later
  // ones. In the same commit.
  bool create = false;
  std::optional<Token> token{};
  // A token below its writer's last is refused, unless this is set and the log holds the append that it
  // names, of the same rows: then that is returned. For a series of appends that may be begun again (see
  // step_of).
  bool repeats_steps = false;
  std::optional<std::int64_t>
      complete_through{};  // the caller says: no row of a tick up to this one comes any more
  // Told of the parts written. What it throws ends the append with the run as it was, unless all parts are
  // written: from then on it is not called any more.
  Progress progress{};
};

struct PartSummary {
  std::int64_t bucket_id = 0;
  std::string path;  // of the file, below root_dir
  std::int64_t rows = 0, bytes = 0;
  std::int64_t tick_min = 0, tick_max = 0;
};

struct AppendSummary {
  std::string table;
  std::string run_id;
  std::vector<PartSummary> parts;  // by bucket
  std::int64_t rows = 0;
  std::vector<std::int64_t> buckets;  // ascending
  bool repeated = false;              // the token named it before: nothing was written now
  // Rows that went into the table `quarantine` instead; only with OnInvalid::quarantine.
  std::optional<std::int64_t> quarantined{};
  // "energy: f64", for each column that this append has defined, or whose type it has widened.
  std::vector<std::string> defined{};
};
Json to_json(const AppendSummary& summary);

struct TableFrame {
  std::string table;
  Frame frame;
};

// Rows with min <= tick <= max; an absent bound is open. Where min is above max, none.
struct TickRange {
  std::optional<std::int64_t> min{}, max{};
};
// {"tick_min": .., "tick_max": ..}: integers, integral floats, decimal text or null. Throws IoArgumentError
// (bad_where).
TickRange parse_where(const Json& where);

// An integer, an integral float or decimal text that is not negative; null: none. Throws IoArgumentError
// (bad_limit).
std::optional<std::int64_t> parse_limit(const Json& limit);

struct ScanOptions {
  TickRange ticks{};
  std::optional<std::vector<std::string>> columns{};  // in this order; absent: all
  std::optional<std::int64_t> limit{};                // first rows of the scan's order, after `ticks`
  std::int64_t batch_rows = 65536;                    // rows a batch at most
};

// Why a part is read or not.
struct PartPlan {
  PartSummary part;
  bool kept = false;
  std::string reason;  // "kept", "bucket", "tick range", "limit", ...
};
Json to_json(const PartPlan& plan);

// A scan that is planned but has not read a row yet. The snapshot is that of the moment it was made: it never
// sees half an append, and later appends do not change it. A plain value that may outlive its Dataset.
class Scan {
 public:
  // Known without opening a part: the descriptor's columns in order, then the extra ones; or those asked for.
  const std::shared_ptr<arrow::Schema>& schema() const;
  const std::vector<PartPlan>& plan() const;
  // Absolute paths of the kept parts, for other readers.
  std::vector<std::string> files() const;
  // The plan as text, for people: parts kept and skipped, and why.
  std::string explain() const;
  // The ticks that were asked for, and how many of them the run keeps together.
  TickRange range() const;
  std::int64_t tick_bucket_size() const;
  // Starts reading. Batches come in order of (bucket, commit, row), with bounded memory; errors come as a
  // failed arrow::Status that carries the crv::Error (see rethrow). Each call starts anew.
  std::shared_ptr<arrow::RecordBatchReader> reader() const;
  // The same through the Arrow C interface.
  void export_to(ArrowArrayStream* stream) const;
  // All rows at once, throwing crv::Error.
  std::shared_ptr<arrow::Table> collect() const;

  // For callers who filter rows themselves, by more than this can do, and want the parts pruned by it: the
  // same scan over the parts that can hold a tick of one of `ranges`. Rows are not filtered by them. A limit
  // comes first, whether of ScanOptions or of head(): its rows are the first ones of the whole scan, and the
  // caller's filter is for those. So where the limit leaves rows out, no part is skipped. To filter first and
  // take rows afterwards, scan without a limit and stop reading.
  Scan prune(std::span<const TickRange> ranges) const;
  // The same scan, of its first rows only; after prune(), those of the parts that are left.
  Scan head(std::int64_t rows) const;
  // The same scan, of these of its columns, in this order.
  Scan select(const std::vector<std::string>& columns) const;
  // Whether any engine can read the kept parts as the columns of this scan, with what it offers for missing
  // and widened ones. Not where a part holds a list whose elements nobody knew when it was written ("ids":
  // []), or, by an older writer, a type that Polars does not know.
  bool readable_by_others() const;
  // The same scan with types and values that Polars can hold, which older writers did not keep to: moments in
  // a time zone that it does not know become those moments in UTC, decimals of more than 38 digits text.
  // reader() fails on text that is not UTF-8, which Polars cannot hold.
  Scan for_polars() const;
  // The ticks that rows of this scan can have: closed ranges, ascending, with gaps between them.
  std::vector<TickRange> ticks() const;
  // For callers who read the kept parts with an engine of their own: throws IoReadError (part_missing,
  // part_damaged) where one is not there or does not hold the bytes that were written. Of a part above 1 MiB
  // only the pages of this scan's columns are looked at, of others the whole, once a Dataset; without
  // `checksums` only the size. reader() checks by itself what it reads.
  void check_parts(bool checksums = true) const;

  struct State;
  explicit Scan(std::shared_ptr<const State> state);

 private:
  std::shared_ptr<const State> state_;
};

struct RebuildReport {
  TableManifest manifest;  // as written
  // False: the log did not stand, and the whole run was put together again from what is left of the log, the
  // manifests and the parts.
  bool from_log = false;
  std::vector<std::string> legacy;       // parts of the older package that were taken in
  std::vector<std::string> uncommitted;  // parts that were not committed, or were removed: left out
  // run.json, files of the log, manifests and parts that are damaged or missing. A part is left out; where
  // the log stands it stays listed.
  std::vector<std::string> damaged;
  // Files that are not crv's, or of another run or table, or of a table that nothing is left to define: left
  // out.
  std::vector<std::string> foreign;
  std::vector<std::string> kept_aside;  // where the old log, and a damaged run.json, went
};
Json to_json(const RebuildReport& report);

struct Finding {
  std::string severity;  // "error": data or history is lost or lies; "note": worth knowing
  std::string code;      // as in catalog/errors.toml, or "uncommitted_part", "widened_path",
                         // "unreadable_by_others", ...
  std::string path;      // below root_dir
  std::string message;
};
struct VerifyReport {
  bool ok = true;  // no finding of severity error
  std::int64_t commits = 0, tables = 0, parts = 0, rows = 0, bytes = 0;
  std::vector<Finding> findings;
};
Json to_json(const VerifyReport& report);

struct TableInfo {
  std::string table;
  std::int64_t rows = 0, bytes = 0, parts = 0;
  std::optional<std::int64_t> tick_min, tick_max;
  std::vector<std::int64_t> buckets;
  std::shared_ptr<const core::TableDescriptor> definition{};  // of a table of the user's own; else nullptr
};
// Without the definition.
Json to_json(const TableInfo& table);

// One commit of the run's log, for people.
struct CommitInfo {
  std::int64_t seq = 0;
  std::string id, time, writer, kind;
  std::optional<Token> token;
  std::optional<std::int64_t> complete_through;
  struct Change {
    std::string table;
    std::int64_t parts_added = 0, rows_added = 0, bytes_added = 0, parts_removed = 0;
    std::string defined{};  // the version of the table of the user's own that begins here, else empty
  };
  std::vector<Change> tables;
};
Json to_json(const CommitInfo& commit);

// What git says of the code that a run is made with. The library does not ask; in a bundle, what the caller
// does not tell is null.
struct GitState {
  std::optional<std::string> sha{};
  std::optional<bool> dirty{};
};

template <IsRow T>
class TableOf;

class Dataset {
 public:
  // No I/O and no checks: those come with the first call.
  Dataset(IoSettings settings, std::string run_id, DatasetOptions options = {});
  // Waits for background work and refreshes small manifests; what goes wrong there is told to on_warning.
  ~Dataset();
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;

  const IoSettings& settings() const;
  const std::string& run_id() const;

  // A table that is built in, whether the run holds it or not, or one of the user's own that the run knows;
  // nullptr where there is none of that name. Reads what is new in the log, if it is not built in.
  std::shared_ptr<const core::TableDescriptor> find_table(std::string_view name);
  // The same of a table that callers append to. Throws IoSchemaError (unknown_table) with the names that are
  // near.
  std::shared_ptr<const core::TableDescriptor> require_table(std::string_view name);
  // Defines a table of the user's own, as one commit that is durable when this returns: from then on every
  // reader and writer of the run knows it. What the run has defined of it already stays, and what `wanted` has
  // beyond it is added (core::grow); where that is nothing, nothing is written. Returns the table as the run
  // has it. Throws IoSchemaError: what core::define_table() and core::grow() throw; and as append() for the
  // rest. Nothing is changed after any of these.
  std::shared_ptr<const core::TableDescriptor> create_table(const core::TableDescriptor& wanted);

  // A table whose rows are one struct of the user's own. Needs crv/io/table_of.h. No I/O.
  template <IsRow T>
  TableOf<T> table(std::string name);

  // Adds a frame to a table as one commit. A frame without rows writes nothing. Errors: IoSchemaError for the
  // frame, IoConfigError for settings that do not fit the run, IoManifestError for a damaged run,
  // IoWriteError for the disk: nothing is visible after any of these. IoCommitUnknownError: the append may
  // stand; this Dataset writes no more.
  AppendSummary append(std::string_view table, const Frame& frame, const AppendOptions& options = {});
  // Several tables as one commit: all of it is visible, or none. A table may stand twice.
  std::vector<AppendSummary> append(std::span<const TableFrame> frames, const AppendOptions& options = {});

  // Throws IoManifestError where the table is not in the run.
  Scan scan(std::string_view table, const ScanOptions& options = {});
  std::shared_ptr<arrow::Table> read(std::string_view table, const ScanOptions& options = {});

  // The snapshot of a table as a manifest; nothing where the run has no such table.
  std::optional<TableManifest> manifest(std::string_view table);
  // Types of all columns and paths that the run has seen in a table, as JSON (see docs/format.md); {} where it
  // does not hold the table. Throws IoSchemaError (unknown_table) where there is none of that name.
  JsonObject columns(std::string_view table);
  // Makes the table's manifest anew and writes it, beside any number of writers. Where the log is damaged or
  // lost the whole run is put together again from what is left of it; whoever has the run open then gets
  // IoRunReplaced. A part is left out only if it is damaged or was not committed. An error of the disk is no
  // damage: it is thrown, and rebuild_manifest may be called again. Of a table that the run does not hold, an
  // empty manifest; nothing is written. See docs/impl.md, "Rebuild".
  RebuildReport rebuild_manifest(std::string_view table, const Progress& progress = {});
  // The manifest that rebuild_manifest() would write, from what lies on disk. Changes nothing.
  TableManifest look_for_parts(std::string_view table);
  // For callers who keep a manifest themselves: commits what it lists more or less than the run. A part that
  // is new must lie in its bucket's folder and be what the manifest says of it; one that the run knew at
  // `manifest.last_seq` and the manifest does not list goes; what was committed later stays. Then refreshes
  // manifest.json. Errors: IoArgumentError and IoReadError naming the part, IoSchemaError where its types do
  // not meet the table's, and those of append(). Nothing is committed after any of these.
  void write_manifest(const TableManifest& manifest);
  // Reads everything (`full`: every byte of every part) and says what is wrong. Changes nothing.
  VerifyReport verify(bool full = true, const Progress& progress = {});

  std::vector<TableInfo> tables();                      // by name
  std::vector<CommitInfo> log(std::int64_t after = 0);  // commits with seq > after
  // The bundle's section of artifacts: what lies in the run's folders for them.
  Json artifacts();
  // Writes bundle.manifest.json and returns it. `env` adds to what the file tells of the software (Python
  // fills it).
  Json write_bundle(const JsonObject& meta = {}, const JsonObject& env = {}, const GitState& git = {});

  // Writes every table's manifest now.
  void refresh_manifests();
  // refresh_manifests() for small ones, then no more writing. Throws what the destructor would only tell.
  void close();

  struct State;

 private:
  std::unique_ptr<State> state_;
};

// Names of the runs below root_dir, sorted. Only folders with a valid run id that hold a run: a run.json, a
// log/ or tables/.
std::vector<std::string> list_runs(const IoSettings& settings,
                                   const std::shared_ptr<Storage>& storage = nullptr);
// Throws IoManifestError (run_missing) where there is no such run, naming those with a name that is near.
void require_run(const IoSettings& settings, const std::string& run_id,
                 const std::shared_ptr<Storage>& storage = nullptr);

}  // namespace crv::io
