#include "crv/io/artifacts.h"

#include <algorithm>

#include <arrow/buffer.h>
#include <arrow/table.h>

#include "core/utf8.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "io/base/clock.h"
#include "io/dataset/artifact_files.h"
#include "io/part/part.h"
#include "io/storage/local_storage.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

FileStat stat_of(Storage& storage, const std::string& path) {
  const auto found = storage.stat(path);
  return {.path = path, .bytes = found ? found->size : 0, .created_at = iso_time(system_now_us())};
}

void check_file_path(const std::string& path) {
  const auto name = base_name_of(path);
  if (!name.empty() && name != "." && name != ".." && path.find('\0') == std::string::npos) return;
  raise(ErrorCode::bad_argument, "\"" + path + "\" does not name a file", {.value = path, .path = path});
}

// Whoever made the folders above: nobody may have flushed them yet.
void replace_durably(Storage& storage, const std::string& path, std::string_view bytes) {
  const auto folder = parent_of(path);
  storage.make_folder(folder);
  storage.replace(path, bytes);
  storage.sync_up(folder, "");
}

}  // namespace

std::string artifacts_root(const IoSettings& settings, const std::string& run_id) {
  return RunPaths(settings.root_dir, run_id).artifacts();
}

std::string lab_dir(const IoSettings& settings, const std::string& run_id, const std::string& subdir) {
  if (std::find(kLabSubdirs.begin(), kLabSubdirs.end(), subdir) == kLabSubdirs.end()) {
    std::string known;
    for (const auto name : kLabSubdirs) known += (known.empty() ? "" : ", ") + std::string(name);
    raise(ErrorCode::bad_argument, "\"" + subdir + "\" is no folder for artifacts; there are " + known,
          {.run_id = run_id, .value = subdir});
  }
  auto folder = join(join(artifacts_root(settings, run_id), "lab"), subdir);
  local_storage(settings.durability)->make_folder(folder);
  return folder;
}

FileStat file_stat(const std::string& path) {
  return stat_of(*local_storage(), path);
}

FileStat write_text_atomic(Storage& storage, const std::string& path, std::string_view text) {
  check_file_path(path);
  if (!is_utf8(text))
    raise(ErrorCode::bad_argument, "the text for " + path + " is not UTF-8: " + shortened(text),
          {.key = "text", .value = shortened(text), .path = path});
  replace_durably(storage, path, text);
  return stat_of(storage, path);
}

FileStat write_parquet_atomic(Storage& storage, const std::string& path, const arrow::Table& table) {
  check_file_path(path);
  const auto bytes = plain_parquet(table, path);
  replace_durably(storage, path, std::string_view(*bytes));
  auto stat = stat_of(storage, path);
  stat.rows = table.num_rows();
  return stat;
}

FileStat write_text_atomic(const std::string& path, const std::string& text) {
  return write_text_atomic(*local_storage(), path, text);
}

FileStat write_parquet_atomic(const std::string& path, const arrow::Table& table) {
  return write_parquet_atomic(*local_storage(), path, table);
}

}  // namespace crv::io
