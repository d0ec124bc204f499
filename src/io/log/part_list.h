// The parts of a table packed: 10,000 of them are one allocation of about a megabyte, where a PartRecord has
// several of its own. What a manifest is read into, and what a scan is planned from.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/log/commit.h"

namespace crv::io {

struct PackedPart {
  enum class Checksum : std::uint8_t {
    none,   // not known (older package)
    known,  // `checksum`
    other,  // of a form that crv does not write: fits no bytes
  };
  static constexpr std::size_t most_time = 32;  // characters of created_at

  std::int64_t bucket, rows, bytes, tick_min, tick_max, seq;
  std::array<std::uint64_t, 2> id;  // of the file's name
  std::uint64_t checksum;
  char created_at[most_time];  // without its end
  std::uint32_t schema;        // its index in PartList::schemas
  std::uint8_t created_at_size;
  Checksum checksum_kind;
};

std::string file_name(const PackedPart& part);
std::string checksum_text(const PackedPart& part);  // empty where it is not known

// By bucket, then in commit order.
struct PartList {
  std::vector<PackedPart> parts;
  std::vector<std::string> schemas;  // ids, "" where a part's is not known

  // Leaves created_at empty: for a list to plan from.
  void add(const PartRecord& part);
  std::uint32_t schema_index(std::string_view id);
  PartRecord record(const PackedPart& part) const;
};

// The names of a list's parts, to find the one that stands twice.
class PartNames {
 public:
  // Makes room for so many, before there is any.
  void expect(std::size_t names);
  // False where an earlier part has the name of this one.
  bool insert(const PartList& list, std::size_t part);

 private:
  void grow(const PartList& list);

  // a power of two; 1 + a part's index, 0: free
  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(64);
  std::size_t used_ = 0;
};

}  // namespace crv::io
