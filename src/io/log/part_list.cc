#include "io/log/part_list.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <utility>

#include "io/base/hex.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

std::array<std::uint64_t, 2> id_of(std::string_view file) {
  const std::string_view digits = part_id(file);
  std::array<std::uint64_t, 2> id{};
  parse_hex(digits.substr(0, 16), &id[0]);
  parse_hex(digits.substr(16), &id[1]);
  return id;
}

}  // namespace

std::string file_name(const PackedPart& part) {
  std::string id;
  append_hex(part.id[0], id);
  append_hex(part.id[1], id);
  return part_file(id);
}

std::string checksum_text(const PackedPart& part) {
  std::string text;
  if (part.checksum_kind == PackedPart::Checksum::known) append_hex(part.checksum, text);
  if (part.checksum_kind == PackedPart::Checksum::other) text = "?";
  return text;
}

void PartList::add(const PartRecord& part) {
  PackedPart packed{};
  packed.bucket = part.bucket;
  packed.rows = part.meta.rows;
  packed.bytes = part.meta.bytes;
  packed.tick_min = part.meta.tick_min;
  packed.tick_max = part.meta.tick_max;
  packed.seq = part.seq;
  packed.id = id_of(part.meta.path);
  packed.schema = schema_index(part.schema);
  if (!part.checksum.empty())
    packed.checksum_kind = parse_hex(part.checksum, &packed.checksum) ? PackedPart::Checksum::known
                                                                      : PackedPart::Checksum::other;
  parts.push_back(packed);
}

std::uint32_t PartList::schema_index(std::string_view id) {
  const auto at = std::find(schemas.begin(), schemas.end(), id) - schemas.begin();
  if (at == std::ssize(schemas)) schemas.emplace_back(id);
  return static_cast<std::uint32_t>(at);
}

PartRecord PartList::record(const PackedPart& part) const {
  PartRecord record;
  record.bucket = part.bucket;
  record.meta = {file_name(part), part.rows,     part.bytes,
                 part.tick_min,   part.tick_max, std::string(part.created_at, part.created_at_size)};
  record.checksum = checksum_text(part);
  record.schema = schemas[part.schema];
  record.seq = part.seq;
  return record;
}

void PartNames::expect(std::size_t names) {
  slots_.assign(std::bit_ceil(std::max<std::size_t>(64, names * 4 / 3 + 1)), 0);
}

bool PartNames::insert(const PartList& list, std::size_t part) {
  if (4 * used_ >= 3 * slots_.size()) grow(list);
  const std::array<std::uint64_t, 2>& id = list.parts[part].id;
  const std::size_t mask = slots_.size() - 1;
  // Ids are random; the other half is mixed in for those that somebody has made up.
  std::size_t at = (id[0] ^ id[1] * 0x9e3779b97f4a7c15U) & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask)
    if (list.parts[slots_[at] - 1].id == id) return false;
  slots_[at] = static_cast<std::uint32_t>(part + 1);
  ++used_;
  return true;
}

void PartNames::grow(const PartList& list) {
  const std::vector<std::uint32_t> before =
      std::exchange(slots_, std::vector<std::uint32_t>(2 * slots_.size()));
  used_ = 0;
  for (const std::uint32_t slot : before)
    if (slot != 0) insert(list, slot - 1);
}

}  // namespace crv::io
