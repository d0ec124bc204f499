#include "crv/io/dataset.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include "core/utf8.h"
#include "crv/core/definition.h"
#include "crv/core/descriptor.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/io/frame.h"
#include "io/json.h"
#include "io/parts.h"
#include "io/schema/declared.h"
#include "io/text_caster.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

// What a Dataset wants to warn of, from any thread, kept until Python asks.
class Warnings {
 public:
  void add(const std::string& text) {
    const std::lock_guard held(mutex_);
    texts_.push_back(text);
  }
  std::vector<std::string> take() {
    const std::lock_guard held(mutex_);
    return std::exchange(texts_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
};

// A Dataset and its warnings. Its destructor waits for the Dataset's own thread, which never asks for the
// GIL.
struct Held {
  std::shared_ptr<Warnings> warnings = std::make_shared<Warnings>();
  std::unique_ptr<io::Dataset> dataset;

  Held(nb::handle settings, std::string run_id, std::string working_folder) {
    io::DatasetOptions options;
    options.working_folder = std::move(working_folder);
    options.on_warning = [told = warnings](const std::string& text) { told->add(text); };
    dataset = std::make_unique<io::Dataset>(settings_of(settings), std::move(run_id), std::move(options));
  }
  // In a forked child: the parent's threads are not here to be waited for, its locks may be held for ever.
  void abandon() { static_cast<void>(dataset.release()); }
};

// Runs long work without the GIL.
template <class Work>
auto unlocked(Work&& work) {
  nb::gil_scoped_release released;
  return work();
}

// Ctrl-C, and the caller's own callable(done, total) or None.
io::Progress progress_of(nb::handle callable) {
  return [callable](std::int64_t done, std::int64_t total) {
    nb::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!callable.is_none()) callable(done, total);
  };
}

JsonObject row_of(nb::handle row, std::int64_t index, const io::Type& declared) {
  JsonObject cells;
  for (nb::handle key : nb::borrow<nb::iterable>(row.attr("keys")())) {
    const std::string column = column_name(key, index);
    cells.push_back(column, cell_from_python(row[key], io::field_of(&declared, column), column, index));
  }
  return cells;
}

io::Frame frame_of_rows(io::Dataset& dataset, const std::string& table, const nb::list& given) {
  const auto descriptor = unlocked([&] { return dataset.find_table(table); });
  const io::Type declared = descriptor ? io::declared_types(*descriptor) : io::Type();
  std::vector<JsonObject> rows;
  try {
    for (nb::handle row : given)
      rows.push_back(row_of(row, static_cast<std::int64_t>(rows.size()), declared));
    return unlocked([&] { return io::frame_from_json(rows, descriptor.get()); });
  } catch (const Error& error) {
    ErrorFacts facts = error.facts();
    facts.table = table;
    raise(error.code(), "table \"" + table + "\", " + error.what(), std::move(facts));
  }
}

// A list of rows (mappings) for `table`, or anything with __arrow_c_stream__.
io::Frame frame_of(io::Dataset& dataset, const std::string& table, nb::handle object) {
  if (PyList_Check(object.ptr())) return frame_of_rows(dataset, table, nb::borrow<nb::list>(object));
  const Stream stream = stream_of(object);
  return unlocked([&] { return io::Frame(stream.stream); });
}

io::OnInvalid on_invalid_of(const std::string& text) {
  if (text == "raise") return io::OnInvalid::raise;
  if (text == "quarantine") return io::OnInvalid::quarantine;
  raise(ErrorCode::bad_argument, "on_invalid is \"raise\" or \"quarantine\", not \"" + text + "\"",
        {.key = "on_invalid", .value = text});
}

nb::list append(Held& held, const nb::list& frames, bool validate_schema, bool validate_rows,
                const std::string& on_invalid, bool create, const nb::object& token,
                std::optional<std::int64_t> complete_through, const nb::object& progress) {
  std::vector<io::TableFrame> given;
  for (nb::handle pair : frames) {
    std::string table = nb::cast<std::string>(pair[0]);
    io::Frame frame = frame_of(*held.dataset, table, pair[1]);
    given.push_back({std::move(table), std::move(frame)});
  }
  io::AppendOptions options;
  options.validate_schema = validate_schema;
  options.validate_rows = validate_rows;
  options.on_invalid = on_invalid_of(on_invalid);
  options.create = create;
  if (!token.is_none())
    options.token = io::Token{nb::cast<std::string>(token[0]), nb::cast<std::int64_t>(token[1])};
  options.complete_through = complete_through;
  options.progress = progress_of(progress);
  const std::vector<io::AppendSummary> summaries =
      unlocked([&] { return held.dataset->append(given, options); });
  nb::list all;
  for (const io::AppendSummary& summary : summaries) all.append(to_python(io::to_json(summary)));
  return all;
}

nb::object plain_table(const std::shared_ptr<const core::TableDescriptor>& table) {
  return table ? to_python(core::to_json(*table)) : nb::none();
}

nb::object create_table(Held& held, nb::handle definition) {
  const core::TableDescriptor wanted = core::table_from_json(from_python(definition, true));
  return plain_table(unlocked([&] { return held.dataset->create_table(wanted); }));
}

nb::object definition(Held& held, const std::string& table) {
  return plain_table(unlocked([&] { return held.dataset->find_table(table); }));
}

io::Scan scan(Held& held, const std::string& table, nb::handle where,
              std::optional<std::vector<std::string>> columns, nb::handle limit) {
  io::ScanOptions options;
  options.ticks = io::parse_where(from_python(where, true));
  options.columns = std::move(columns);
  options.limit = io::parse_limit(from_python(limit, true));
  return unlocked([&] { return held.dataset->scan(table, options); });
}

nb::object manifest(Held& held, const std::string& table) {
  const std::optional<io::TableManifest> found = unlocked([&] { return held.dataset->manifest(table); });
  return found ? nb::object(plain(*found)) : nb::none();
}

nb::list tables(Held& held) {
  nb::list all;
  for (const io::TableInfo& table : unlocked([&] { return held.dataset->tables(); }))
    all.append(to_python(io::to_json(table)));
  return all;
}

// As JSON has it, but that the token is a pair, or None, and stands before what follows here.
nb::dict plain_commit(const io::CommitInfo& commit) {
  auto all = nb::cast<nb::dict>(to_python(io::to_json(commit)));
  all.attr("pop")("token", nb::none());
  all["token"] =
      commit.token ? nb::object(nb::make_tuple(commit.token->writer, commit.token->number)) : nb::none();
  for (const char* last : {"complete_through", "tables"}) all[last] = all.attr("pop")(last);
  return all;
}

nb::list log(Held& held, std::int64_t after) {
  nb::list all;
  for (const io::CommitInfo& commit : unlocked([&] { return held.dataset->log(after); }))
    all.append(plain_commit(commit));
  return all;
}

// (manifest, report)
nb::tuple rebuild(Held& held, const std::string& table, const nb::object& progress) {
  const io::RebuildReport report =
      unlocked([&] { return held.dataset->rebuild_manifest(table, progress_of(progress)); });
  return nb::make_tuple(plain(report.manifest), to_python(io::to_json(report)));
}

nb::object verify(Held& held, bool full, const nb::object& progress) {
  return to_python(io::to_json(unlocked([&] { return held.dataset->verify(full, progress_of(progress)); })));
}

nb::object write_bundle(Held& held, nb::handle meta, nb::handle env, std::optional<std::string> git_sha,
                        std::optional<bool> git_dirty) {
  const JsonObject meta_json = object_from_python(meta), env_json = object_from_python(env);
  const io::GitState git{std::move(git_sha), git_dirty};
  return to_python(unlocked([&] { return held.dataset->write_bundle(meta_json, env_json, git); }));
}

[[noreturn]] void refuse_fact(const char* key, const char* needed, nb::handle given) {
  const std::string shown = shortened(nb::cast<std::string>(nb::repr(given)));
  raise(ErrorCode::bad_argument, std::string(key) + " of a manifest must be " + needed + ", not " + shown,
        {.key = key, .value = shown});
}
std::string text(nb::handle object, const char* key) {
  const nb::object given = object[key];
  if (PyUnicode_Check(given.ptr()) == 0) refuse_fact(key, "text", given);
  std::string value = nb::cast<std::string>(given);
  if (!is_utf8(value)) refuse_fact(key, "text that has UTF-8", given);
  return value;
}
std::int64_t number(nb::handle object, const char* key) {
  std::int64_t value = 0;
  const nb::object given = object[key];
  if (!nb::try_cast(given, value)) refuse_fact(key, "an integer of 64 bits", given);
  return value;
}

}  // namespace

nb::dict plain(const io::TableManifest& manifest) {
  nb::list partitions;
  for (const io::PartitionMeta& partition : manifest.partitions) {
    nb::list parts;
    for (const io::PartMeta& part : partition.parts) {
      nb::dict one;
      one["path"] = part.path;
      one["rows"] = part.rows;
      one["bytes"] = part.bytes;
      one["tick_min"] = part.tick_min;
      one["tick_max"] = part.tick_max;
      one["created_at"] = part.created_at;
      parts.append(std::move(one));
    }
    nb::dict one;
    one["bucket_id"] = partition.bucket_id;
    one["state"] = partition.state;
    one["tick_min"] = partition.tick_min;
    one["tick_max"] = partition.tick_max;
    one["row_count"] = partition.row_count;
    one["byte_size"] = partition.byte_size;
    one["parts"] = std::move(parts);
    partitions.append(std::move(one));
  }
  nb::dict all;
  all["table"] = manifest.table;
  all["version"] = manifest.version;
  all["created_at"] = manifest.created_at;
  all["updated_at"] = manifest.updated_at;
  all["partitions"] = std::move(partitions);
  all["last_seq"] = manifest.last_seq;
  all["last_id"] = manifest.last_id;
  return all;
}

io::TableManifest manifest_of(nb::handle object) {
  io::TableManifest manifest;
  manifest.table = text(object, "table");
  manifest.last_seq = number(object, "last_seq");
  manifest.last_id = text(object, "last_id");
  for (nb::handle given : nb::borrow<nb::list>(object["partitions"])) {
    io::PartitionMeta partition;
    partition.bucket_id = number(given, "bucket_id");
    for (nb::handle part : nb::borrow<nb::list>(given["parts"]))
      partition.parts.push_back({text(part, "path"), number(part, "rows"), number(part, "bytes"),
                                 number(part, "tick_min"), number(part, "tick_max"),
                                 text(part, "created_at")});
    manifest.partitions.push_back(std::move(partition));
  }
  return manifest;
}

void bind_dataset(nb::module_& m) {
  using Unlocked = nb::call_guard<nb::gil_scoped_release>;
  nb::class_<Held>(m, "Dataset")
      .def(nb::init<nb::handle, std::string, std::string>(), nb::arg("settings"), nb::arg("run_id"),
           nb::arg("working_folder"))
      .def("abandon", &Held::abandon)
      .def("append", &append, nb::arg("frames"), nb::arg("validate_schema"), nb::arg("validate_rows"),
           nb::arg("on_invalid"), nb::arg("create"), nb::arg("token").none(),
           nb::arg("complete_through").none(), nb::arg("progress").none())
      .def("create_table", &create_table, nb::arg("definition"))
      .def("definition", &definition, nb::arg("table"))
      .def("scan", &scan, nb::arg("table"), nb::arg("where").none(), nb::arg("columns").none(),
           nb::arg("limit").none())
      .def("manifest", &manifest, nb::arg("table"))
      .def("columns",
           [](Held& held, const std::string& table) { return to_python(held.dataset->columns(table)); })
      .def("look_for_parts",
           [](Held& held, const std::string& table) {
             return plain(unlocked([&] { return held.dataset->look_for_parts(table); }));
           })
      .def("write_manifest",
           [](Held& held, nb::handle manifest) {
             const io::TableManifest wanted = manifest_of(manifest);
             unlocked([&] { held.dataset->write_manifest(wanted); });
           })
      .def("rebuild_manifest", &rebuild, nb::arg("table"), nb::arg("progress").none())
      .def("verify", &verify, nb::arg("full"), nb::arg("progress").none())
      .def("artifacts", [](Held& held) { return to_python(held.dataset->artifacts()); })
      .def("tables", &tables)
      .def("log", &log, nb::arg("after"))
      .def("write_bundle", &write_bundle, nb::arg("meta"), nb::arg("env"), nb::arg("git_sha").none(),
           nb::arg("git_dirty").none())
      .def(
          "refresh_manifests", [](Held& held) { held.dataset->refresh_manifests(); }, Unlocked())
      .def(
          "close", [](Held& held) { held.dataset->close(); }, Unlocked())
      .def("take_warnings", [](Held& held) { return held.warnings->take(); });
  m.def(
      "parse_limit", [](nb::handle limit) { return io::parse_limit(from_python(limit, true)); },
      nb::arg("limit").none());
  m.def("list_runs", [](nb::handle settings) {
    const io::IoSettings of = settings_of(settings);
    return unlocked([&] { return io::list_runs(of); });
  });
}

}  // namespace crv::python
