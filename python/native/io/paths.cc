#include "io/storage/paths.h"

#include <string>

#include <nanobind/nanobind.h>

#include "crv/io/artifacts.h"
#include "crv/io/frame.h"
#include "io/parts.h"
#include "io/text_caster.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

io::IoSettings rooted(const std::string& root_dir) {
  io::IoSettings settings;
  settings.root_dir = root_dir;
  return settings;
}

nb::dict plain(const io::FileStat& stat) {
  nb::dict all;
  all["path"] = stat.path;
  all["bytes"] = stat.bytes;
  all["created_at"] = stat.created_at;
  return all;
}

void bind_artifacts(nb::module_& m) {
  m.def("artifacts_root", [](const std::string& root_dir, const std::string& run_id) {
    return io::artifacts_root(rooted(root_dir), run_id);
  });
  m.def("lab_dir", [](const std::string& root_dir, const std::string& run_id, const std::string& subdir) {
    return io::lab_dir(rooted(root_dir), run_id, subdir);
  });
  m.def("file_stat", [](const std::string& path) { return plain(io::file_stat(path)); });
  m.def("write_text_atomic", [](const std::string& path, const std::string& text) {
    nb::dict all = plain(io::write_text_atomic(path, text));
    all["wrote_text"] = true;
    return all;
  });
  m.def("write_parquet_atomic", [](const std::string& path, nb::handle frame) {
    const Stream stream = stream_of(frame);
    io::FileStat stat;
    {
      nb::gil_scoped_release unlocked;
      stat = io::write_parquet_atomic(path, *io::Frame(stream.stream).table());
    }
    nb::dict all = plain(stat);
    all["rows"] = stat.rows;
    return all;
  });
}

}  // namespace

void bind_paths(nb::module_& m) {
  using io::RunPaths;
  m.def("bucket_id_for_tick", &io::bucket_id_for_tick, nb::arg("tick"), nb::arg("size"));
  m.def("format_bucket_dir",
        [](std::int64_t bucket) { return io::base_name_of(RunPaths("r", "r").bucket("t", bucket)); });
  m.def("run_root",
        [](const std::string& root, const std::string& run) { return RunPaths(root, run).run(); });
  m.def("tables_root",
        [](const std::string& root, const std::string& run) { return RunPaths(root, run).tables(); });
  m.def("table_dir", [](const std::string& root, const std::string& run, const std::string& table) {
    return RunPaths(root, run).table(table);
  });
  m.def("manifest_path", [](const std::string& root, const std::string& run, const std::string& table) {
    return RunPaths(root, run).manifest(table);
  });
  m.def("bucket_dir", [](const std::string& root, const std::string& run, const std::string& table,
                         std::int64_t bucket) { return RunPaths(root, run).bucket(table, bucket); });
  m.def("part_path",
        [](const std::string& root, const std::string& run, const std::string& table, std::int64_t bucket,
           const std::string& id) { return RunPaths(root, run).part(table, bucket, io::part_file(id)); });
  m.def("bundle_manifest_path", [](const std::string& root, const std::string& run) {
    return RunPaths(root, run).bundle_manifest();
  });
  m.def(
      "validate_run_id", [](const std::string& run_id) { return io::validate_run_id(run_id); },
      nb::arg("run_id"));
  m.def(
      "normalize_run_id", [](const std::string& run_id) { return io::normalize_run_id(run_id); },
      nb::arg("run_id"));
  bind_artifacts(m);
}

}  // namespace crv::python
