// Between files (or pipes) and a run: append what files hold, write what a scan finds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crv/io/dataset.h"
#include "crv/io/formats.h"

namespace crv::io {

struct AppendFilesOptions {
  std::optional<Format> format;  // of all files; absent: each file's extension or first bytes
  // Its token names all of it: with rows_per_commit, commit n (from 1 on) has the token step_of(token, n), so
  // that what stands of an append that broke off is not committed twice when it is begun again.
  AppendOptions append;
  // Rows a commit at most. 0: all files are one commit, whole or absent together, and are held in memory
  // together. Otherwise memory is bounded, and what was committed before an error stays.
  std::int64_t rows_per_commit = 0;
  std::function<void(const AppendSummary&)> on_commit;  // after each commit
  Progress progress;                                    // bytes read, of those there are (0: not known)
  std::function<bool()> stop;  // asked while reading; true ends with code `interrupted`
};

struct AppendFilesSummary {
  AppendSummary appended;  // of all commits together
  std::int64_t commits = 0;
  // Commits of these that the token named before, and that were not made again; only with a token.
  std::optional<std::int64_t> repeated;
};
Json to_json(const AppendFilesSummary& summary);

// Appends the rows of files ("-": standard input) to a table. Errors are those of reading and of
// Dataset::append; where they are about a row, facts say which file and, in JSON lines, which line.
AppendFilesSummary append_files(Dataset& dataset, std::string_view table, std::span<const std::string> paths,
                                const AppendFilesOptions& options = {});

// The table of the user's own that could hold the rows of a file, by its schema or its first rows: no column but
// tick is required, and one without a value among these rows is inferred. Throws as append_files() does where the
// file cannot be read, and what core::define_table() throws.
core::TableDescriptor table_like(std::string_view table, const std::string& path,
                                 std::optional<Format> format = std::nullopt);

// Writes all rows of a scan and finishes the writer. Returns the rows written. Progress counts rows, of those
// in the parts that the scan reads.
std::int64_t write_scan(const Scan& scan, BatchWriter& writer, const Progress& progress = {});

}  // namespace crv::io
