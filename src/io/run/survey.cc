#include "io/run/survey.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/base/parallel.h"

namespace crv::io {
namespace {

void list_bucket(Run& run, const std::string& table, std::int64_t bucket, Survey& found) {
  std::string folder = run.paths().bucket(table, bucket);
  for (const Entry& entry : run.storage().list(folder))
    if (entry.is_folder || !is_part_file(entry.name))
      found.strange.push_back(join(folder, entry.name));
    else
      found.parts.push_back({.table = table,
                             .bucket = bucket,
                             .file = entry.name,
                             .path = join(folder, entry.name),
                             .facts = {},
                             .error = {},
                             .failure = {}});
}

// False where the part has gone.
bool look_into(Run& run, FoundPart& part, std::int64_t bucket_size) {
  try {
    part.facts = read_part_facts(run.storage(), part.path);
  } catch (const IoReadError& e) {
    if (e.code() == ErrorCode::part_missing) return false;
    part.error = e.what();
    if (e.code() != ErrorCode::part_damaged) part.failure = std::current_exception();
    return true;
  }
  const PartFacts& facts = *part.facts;
  bool other_home = facts.footer.table != part.table || facts.footer.run_id != run.run_id;
  bool other_bucket =
      bucket_size > 0 && !lie_in_bucket(facts.tick_min, facts.tick_max, part.bucket, bucket_size);
  part.foreign = other_home || other_bucket;
  part.unnamed = facts.footer.table.empty() && facts.footer.run_id.empty() && !other_bucket;
  if (part.unnamed)
    part.error = "its footer names no table and no run";
  else if (other_home)
    part.error = "it belongs to table " + facts.footer.table + " of run " + facts.footer.run_id;
  else if (other_bucket)
    part.error = "its ticks " + std::to_string(facts.tick_min) + " to " + std::to_string(facts.tick_max) +
                 " are not of bucket " + std::to_string(part.bucket);
  return true;
}

}  // namespace

std::vector<std::string> table_folders(Run& run) {
  std::vector<std::string> names;
  for (const Entry& entry : run.storage().list(run.paths().tables()))
    if (entry.is_folder && core::is_table_name(entry.name)) names.push_back(entry.name);
  return names;
}

void require_folders(Run& run) {
  for (const Entry& entry : run.storage().list(run.paths().tables()))
    if (!entry.is_folder && core::is_table_name(entry.name))
      raise(ErrorCode::run_damaged,
            run.paths().table(entry.name) +
                " should be the folder of a table, and is a file, or a link that leads nowhere.",
            {.run_id = run.run_id, .table = entry.name, .path = run.paths().table(entry.name)});
}

Survey survey(Run& run, const std::vector<std::string>& tables, std::int64_t bucket_size,
              const Progress& progress) {
  Survey found;
  for (const std::string& table : tables) {
    for (const Entry& entry : run.storage().list(run.paths().table(table))) {
      auto bucket = parse_bucket_folder(entry.name);
      if (bucket && entry.is_folder)
        list_bucket(run, table, *bucket, found);
      else if (join(run.paths().table(table), entry.name) != run.paths().manifest(table))
        found.strange.push_back(join(run.paths().table(table), entry.name));
    }
  }
  constexpr std::size_t step = 256;  // parts between two reports of progress
  std::vector<char> there(found.parts.size(), 1);
  for (std::size_t from = 0; from < found.parts.size(); from += step) {
    if (progress) progress(static_cast<std::int64_t>(from), static_cast<std::int64_t>(found.parts.size()));
    in_parallel(run.threads(), std::min(step, found.parts.size() - from),
                [&](std::size_t i) { there[from + i] = look_into(run, found.parts[from + i], bucket_size); });
  }
  std::vector<FoundPart> parts;
  for (std::size_t i = 0; i < there.size(); ++i)
    if (there[i]) parts.push_back(std::move(found.parts[i]));
  found.parts = std::move(parts);
  return found;
}

}  // namespace crv::io
