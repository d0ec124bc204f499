#include "io/dataset/scan_plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/text.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "io/base/sums.h"
#include "io/conform/accepted.h"

namespace crv::io {

namespace {

// What a scan yields of a column that no part holds: an open struct has no fields then.
Type default_type(Type declared) {
  declared.open = false;
  for (Field& field : declared.fields) field.type = default_type(std::move(field.type));
  return declared;
}

const Field* find(const Columns& columns, std::string_view name) {
  auto it = std::find_if(columns.begin(), columns.end(), [&](const Field& f) { return f.name == name; });
  return it == columns.end() ? nullptr : &*it;
}

bool has_unknown_elements(const Type& type) {
  return std::any_of(type.fields.begin(), type.fields.end(), [&](const Field& field) {
    return field.type.kind == Type::Kind::null ? type.kind == Type::Kind::list
                                               : has_unknown_elements(field.type);
  });
}

std::vector<std::shared_ptr<const Obstacles>> obstacles_by_schema(const TableState& state,
                                                                  const PartList& parts) {
  std::vector<std::shared_ptr<const Obstacles>> all(parts.schemas.size());
  for (const SeenSchema& schema : state.schemas()) {
    const auto at = std::find(parts.schemas.begin(), parts.schemas.end(), schema.id);
    if (at == parts.schemas.end()) continue;
    Obstacles found;
    for (const Field& column : schema.columns) {
      if (has_unknown_elements(column.type)) found.columns.insert(column.name);
      found.whole = found.whole || !is_readable_by_polars(column.type);
    }
    if (found.whole || !found.columns.empty())
      all[static_cast<std::size_t>(at - parts.schemas.begin())] =
          std::make_shared<const Obstacles>(std::move(found));
  }
  return all;
}

// Rows of a part that are surely in the scan's tick range.
std::int64_t certain_rows(const Scan::State& state, const PackedPart& part) {
  const PartQuery& q = state.query;
  return part.tick_min >= q.tick_min && part.tick_max <= q.tick_max ? part.rows : 0;
}

Verdict plan_part(const Scan::State& state, const PackedPart& part, std::int64_t* certain) {
  const PartQuery& q = state.query;
  const auto [first, last] = ticks_of_bucket(part.bucket, state.tick_bucket_size);
  if (last < q.tick_min || first > q.tick_max) return Verdict::bucket;
  if (part.tick_min > q.tick_max || part.tick_max < q.tick_min || q.tick_min > q.tick_max)
    return Verdict::tick_range;
  if (state.limit && *certain >= *state.limit) return Verdict::limit;
  *certain = capped_sum(*certain, certain_rows(state, part));
  return Verdict::kept;
}

// The same ticks as closed ranges, ascending, with gaps between them.
std::vector<TickRange> merged(std::vector<TickRange> ranges) {
  const auto begins_earlier = [](const TickRange& a, const TickRange& b) { return *a.min < *b.min; };
  if (!std::is_sorted(ranges.begin(), ranges.end(), begins_earlier))
    std::sort(ranges.begin(), ranges.end(), begins_earlier);
  std::vector<TickRange> all;
  for (const TickRange& range : ranges) {
    if (*range.min > *range.max) continue;
    if (!all.empty() && (*all.back().max == INT64_MAX || *range.min <= *all.back().max + 1))
      all.back().max = std::max(*all.back().max, *range.max);
    else
      all.push_back(range);
  }
  return all;
}

}  // namespace

Columns scan_columns(const TableState& state, const core::TableDescriptor& descriptor) {
  Columns all;
  std::vector<TypeConflict> conflicts;  // none: nested columns were checked when they came in
  for (const core::ColumnDescriptor& column : descriptor.columns) {
    const Field* seen = find(state.columns(), column.name);
    bool from_parts = seen && !is_scalar(column.type) && seen->type.kind != Type::Kind::null;
    const Type known = default_type(column.type);
    all.push_back({column.name, from_parts ? unite(known, seen->type, column.name, conflicts) : known});
  }
  for (const Field& field : state.columns())
    if (!descriptor.find(field.name)) all.push_back(field);
  return all;
}

Columns select_columns(const Columns& all, const std::vector<std::string>& names, const std::string& table) {
  Columns wanted;
  for (const std::string& name : names) {
    const Field* field = find(all, name);
    if (!field || find(wanted, name)) {
      std::vector<std::string> there;
      for (const Field& f : all) there.push_back(f.name);
      raise(ErrorCode::bad_projection,
            field ? "Column \"" + name + "\" was asked for twice."
                  : "Table " + table + " has no column \"" + shortened(name) + '"' +
                        did_you_mean(name, there, ".") + " It has: " + core::join(there) + ".",
            {.table = table, .column = name, .value = name});
    }
    wanted.push_back(*field);
  }
  return wanted;
}

void check_limit(std::int64_t limit, const std::string& table) {
  if (limit >= 0) return;
  raise(ErrorCode::bad_limit, "A limit of " + std::to_string(limit) + " rows makes no sense.",
        {.table = table, .key = "limit", .value = std::to_string(limit)});
}

void check_options(const ScanOptions& options, const std::string& table) {
  if (options.limit) check_limit(*options.limit, table);
  if (options.batch_rows <= 0)
    raise(ErrorCode::bad_argument, "batch_rows must be above 0.",
          {.key = "batch_rows", .value = std::to_string(options.batch_rows)});
}

void plan_parts(const TableState& snapshot, Scan::State& scan) {
  scan.parts = snapshot.list();
  scan.unreadable = std::make_shared<const std::vector<std::shared_ptr<const Obstacles>>>(
      obstacles_by_schema(snapshot, *scan.parts));
  scan.verdicts.reserve(scan.parts->parts.size());
  std::int64_t certain = 0;
  for (const PackedPart& part : scan.parts->parts) scan.verdicts.push_back(plan_part(scan, part, &certain));
}

void prune_parts(std::span<const TickRange> ranges, Scan::State& scan) {
  std::vector<TickRange> closed;
  for (const TickRange& range : ranges)
    closed.push_back({range.min.value_or(INT64_MIN), range.max.value_or(INT64_MAX)});
  const std::vector<TickRange> wanted = merged(std::move(closed));
  for (std::size_t i = 0; i < scan.verdicts.size(); ++i) {
    const PackedPart& part = scan.parts->parts[i];
    // The first range that does not end before the part begins.
    const auto range = std::partition_point(wanted.begin(), wanted.end(),
                                            [&](const TickRange& r) { return *r.max < part.tick_min; });
    const bool meets = range != wanted.end() && *range->min <= part.tick_max;
    if (scan.verdicts[i] == Verdict::kept && !meets) scan.verdicts[i] = Verdict::filter;
  }
}

// A part counts for the limit with the rows that are surely in the scan: of one that the tick range cuts, how
// many are is not known before it is read.
void limit_parts(std::int64_t rows, Scan::State& scan) {
  scan.limit = std::min(rows, scan.limit.value_or(INT64_MAX));
  std::int64_t certain = 0;
  for (std::size_t i = 0; i < scan.verdicts.size(); ++i) {
    if (scan.verdicts[i] != Verdict::kept) continue;
    if (certain >= *scan.limit)
      scan.verdicts[i] = Verdict::limit;
    else
      certain = capped_sum(certain, certain_rows(scan, scan.parts->parts[i]));
  }
}

bool limit_cuts(const Scan::State& state) {
  if (!state.limit) return false;
  std::int64_t left = *state.limit;
  for (std::size_t i = 0; i < state.verdicts.size(); ++i) {
    if (state.verdicts[i] == Verdict::limit) return true;
    if (state.verdicts[i] != Verdict::kept) continue;
    if (state.parts->parts[i].rows > left) return true;
    left -= state.parts->parts[i].rows;
  }
  return false;
}

std::vector<TickRange> kept_ticks(const Scan::State& scan) {
  const PartQuery& query = scan.query;
  std::vector<TickRange> ranges;
  for (const std::size_t i : scan.kept()) {
    const PackedPart& part = scan.parts->parts[i];
    const std::int64_t first = std::max(part.tick_min, query.tick_min);
    const std::int64_t last = std::min(part.tick_max, query.tick_max);
    // Most parts go on where the one before ended, so that few ranges are kept on the way.
    if (!ranges.empty() && first >= *ranges.back().min && first - 1 <= *ranges.back().max)
      ranges.back().max = std::max(*ranges.back().max, last);
    else
      ranges.push_back({first, last});
  }
  return merged(std::move(ranges));
}

bool has_obstacles(const Scan::State& scan) {
  if (std::ranges::none_of(*scan.unreadable, [](const auto& obstacles) { return obstacles != nullptr; }))
    return false;
  const std::vector<std::size_t> kept = scan.kept();
  return std::ranges::any_of(kept, [&](std::size_t i) {
    const std::shared_ptr<const Obstacles>& there = (*scan.unreadable)[scan.parts->parts[i].schema];
    return there && (there->whole || std::ranges::any_of(scan.query.wanted, [&](const Field& column) {
                       return there->columns.contains(column.name);
                     }));
  });
}

}  // namespace crv::io
