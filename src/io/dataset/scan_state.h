// What a Scan is made of: the parts of a snapshot, and which of them are read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/io/dataset.h"
#include "io/base/once.h"
#include "io/log/part_list.h"
#include "io/part/part.h"
#include "io/run/sound_parts.h"
#include "io/storage/paths.h"
#include "io/storage/storage.h"

namespace crv::io {

// Whether a part is read, and why not.
enum class Verdict : std::uint8_t { kept, bucket, tick_range, limit, filter };
inline constexpr std::array<const char*, 5> kReasons{"kept", "bucket", "tick range", "limit", "filter"};

using Names = std::set<std::string>;

// What other engines cannot read of the parts of one schema.
struct Obstacles {
  Names columns;       // with lists whose elements nobody knew
  bool whole = false;  // a type that Polars does not know: it then reads no column of the part
};

struct Scan::State {
  std::shared_ptr<Storage> storage;
  std::string run_id, table;
  std::int64_t tick_bucket_size = 0;
  PartQuery query;
  std::optional<std::int64_t> limit;
  std::shared_ptr<arrow::Schema> schema;
  RunPaths paths;
  std::shared_ptr<const PartList> parts;
  std::vector<Verdict> verdicts;  // one a part
  // By schema, or null.
  std::shared_ptr<const std::vector<std::shared_ptr<const Obstacles>>> unreadable;
  bool for_polars = false;
  std::shared_ptr<SoundParts> sound;
  std::size_t threads = 1;  // that a reader may use at a time
  // What plan() tells, made when it is first asked for.
  struct Told {
    Once once;
    std::vector<PartPlan> plan;
  };
  std::shared_ptr<Told> told = std::make_shared<Told>();

  // The same, to be changed.
  std::shared_ptr<State> copy() const {
    auto made = std::make_shared<State>(*this);
    made->told = std::make_shared<Told>();
    return made;
  }
  PartSummary summary(const PackedPart& part) const {
    return {part.bucket,   paths.part(table, part.bucket, file_name(part)),
            part.rows,     part.bytes,
            part.tick_min, part.tick_max};
  }
  std::vector<std::size_t> kept() const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < verdicts.size(); ++i)
      if (verdicts[i] == Verdict::kept) all.push_back(i);
    return all;
  }
};

}  // namespace crv::io
