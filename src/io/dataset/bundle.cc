// bundle: one file that says what a run holds, for people and for tools that do not read manifests.
#include <memory>
#include <optional>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "crv/io/artifacts.h"
#include "io/dataset/verbs.h"
#include "io/part/part.h"

namespace crv::io {
namespace {

template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

JsonObject run_section(Run& run, const GitState& git) {
  const core::SchemaVersion& version = core::schema_version();
  JsonObject v;
  v.push_back("major", version.major);
  v.push_back("minor", version.minor);
  v.push_back("date", version.date);
  JsonObject o;
  o.push_back("run_id", run.run_id);
  o.push_back("created_at", run.now());
  o.push_back("core_schema_v", std::move(v));
  o.push_back("git", JsonObject{{"sha", json_of(git.sha)}, {"dirty", json_of(git.dirty)}});
  return o;
}

JsonObject env_section(const JsonObject& env) {
  JsonObject o;
  for (const char* key : {"python", "polars", "pyarrow"}) o.push_back(key, Json());
  for (const auto& [key, value] : env) o[key] = value;
  return o;
}

JsonObject io_section(const IoSettings& settings) {
  JsonObject o;
  o.push_back("root_dir", settings.root_dir);
  o.push_back("partitioning", settings.partitioning);
  o.push_back("tick_bucket_size", settings.tick_bucket_size);
  o.push_back("row_group_size", settings.row_group_size);
  o.push_back("compression", text_of(settings.compression));
  return o;
}

JsonObject tables_section(const std::vector<TableInfo>& tables) {
  JsonObject all;
  for (const TableInfo& table : tables) {
    JsonArray buckets;
    for (std::int64_t bucket : table.buckets) buckets.emplace_back(bucket);
    JsonObject o;
    o.push_back("rows", table.rows);
    o.push_back("bytes", table.bytes);
    o.push_back("tick_min", json_of(table.tick_min));
    o.push_back("tick_max", json_of(table.tick_max));
    o.push_back("buckets", std::move(buckets));
    o.push_back("total_rows", table.rows);
    o.push_back("total_bytes", table.bytes);
    if (table.definition) o.push_back("definition", core::to_json(*table.definition));
    all.push_back(table.table, std::move(o));
  }
  return all;
}

JsonArray files_of(Run& run, const std::string& subdir) {
  std::string folder = join(run.paths().artifacts(), "lab/" + subdir);
  JsonArray files;
  for (const Entry& entry : run.storage().list(folder)) {
    if (entry.is_folder) continue;
    std::string path = join(folder, entry.name);
    auto stat = run.storage().stat(path);
    JsonObject o;
    o.push_back("path", "artifacts/lab/" + subdir + '/' + entry.name);
    o.push_back("bytes", stat ? stat->size : 0);
    if (entry.name.ends_with(".parquet")) {
      if (auto rows = parquet_rows(run.storage(), path)) o.push_back("rows", *rows);
    }
    files.emplace_back(std::move(o));
  }
  return files;
}

JsonObject artifacts_section(Run& run) {
  JsonObject lab;
  for (const auto subdir : kLabSubdirs)
    lab.push_back(std::string(subdir), files_of(run, std::string(subdir)));
  JsonObject o;
  o.push_back("lab", std::move(lab));
  o.push_back("world", JsonObject{});
  o.push_back("mind", JsonObject{});
  return o;
}

}  // namespace

Json artifacts_index(Run& run) {
  run.prepare();
  return artifacts_section(run);
}

Json write_bundle(Run& run, const std::shared_ptr<const FoundRun>& of, const std::vector<TableInfo>& tables,
                  const JsonObject& meta, const JsonObject& env, const GitState& git) {
  JsonObject o;
  o.push_back("schema_version", 1);
  o.push_back("run", run_section(run, git));
  o.push_back("env", env_section(env));
  o.push_back("io", io_section(run.settings));
  o.push_back("tables", tables_section(tables));
  o.push_back("artifacts", artifacts_section(run));
  o.push_back("meta", meta);
  Json bundle(std::move(o));
  std::string text = write_json(bundle, {.ascii = true, .indent = 2});
  run.storage().make_folder(run.paths().run());
  run.require_in_place(of);
  run.storage().replace(run.paths().bundle_manifest(), text);
  run.storage().sync_up(run.paths().run(), "");
  return bundle;
}

}  // namespace crv::io
