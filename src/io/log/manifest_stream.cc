#include "io/log/manifest_stream.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/checksum.h"
#include "io/base/hex.h"
#include "io/log/checked_json.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

constexpr std::int64_t kAtOnce = 1 << 16;   // bytes that are read at a time: they stay in the cache
constexpr std::int64_t kMostOfItem = 1024;  // no item of the form that is known here is longer
constexpr std::int64_t kMostBefore = 4096;  // bytes before the partitions
constexpr SealMarks kSealMark = seal_marks(Layout::indented);
constexpr std::int64_t kSealLength = static_cast<std::int64_t>(kSealMark.length());

// Compares texts of a length that the compiler knows, so that it is a few instructions and no call.
template <std::size_t length>
bool equal(const char* a, const char* b) {
  constexpr std::size_t word = sizeof(std::uint64_t);
  if constexpr (length < word) {
    return std::memcmp(a, b, length) == 0;
  } else {
    std::uint64_t differences = 0;
    const auto compare = [&](std::size_t at) {
      std::uint64_t of_a = 0, of_b = 0;
      std::memcpy(&of_a, a + at, word);
      std::memcpy(&of_b, b + at, word);
      differences |= of_a ^ of_b;
    };
    for (std::size_t at = 0; at + word <= length; at += word) compare(at);
    compare(length - word);  // the last bytes, some of them once more
    return differences == 0;
  }
}

// The bytes of a file in order, with a checksum over all but its seal.
class Text {
 public:
  explicit Text(Reader& file) : file_(file), buffer_(kAtOnce), unread_(file.size()) {}

  // Sees to it that at least `length` bytes are in rest(), fewer only at the end of the file.
  void ahead(std::int64_t length) {
    if (std::ssize(rest_) < length && unread_ > 0) fill();
  }
  std::string_view rest() const { return rest_; }  // what was ahead and has not been taken
  template <std::size_t size>
  bool take(const char (&expected)[size]) {
    if (rest_.size() < size - 1 || !equal<size - 1>(rest_.data(), expected)) return false;
    rest_.remove_prefix(size - 1);
    return true;
  }
  // All that has not been taken yet.
  std::string take_rest() {
    std::string all;
    all.reserve(rest_.size() + static_cast<std::size_t>(unread_));
    while (true) {
      all += rest_;
      rest_ = {};
      if (unread_ == 0) return all;
      fill();
    }
  }
  void drop(std::size_t bytes) { rest_.remove_prefix(bytes); }
  bool whole() const { return whole_; }
  std::uint64_t checksum() const { return sum_.value(); }

 private:
  void fill() {
    std::memmove(buffer_.data(), rest_.data(), rest_.size());
    const std::int64_t kept = std::ssize(rest_);
    const std::int64_t wanted = std::min(unread_, kAtOnce - kept);
    const std::int64_t got = file_.read_at(offset_, wanted, buffer_.data() + kept);
    if (got < wanted) whole_ = false;  // it became shorter meanwhile
    const std::int64_t sealed = std::clamp<std::int64_t>(file_.size() - kSealLength - offset_, 0, got);
    sum_.update(buffer_.data() + kept, sealed);
    offset_ += got;
    unread_ = got < wanted ? 0 : unread_ - got;
    rest_ = {buffer_.data(), static_cast<std::size_t>(kept + got)};
  }

  Reader& file_;
  std::vector<char> buffer_;
  std::string_view rest_;
  std::int64_t offset_ = 0, unread_;
  bool whole_ = true;
  Checksum sum_;
};

// Takes one piece of the text after the other; false from the first one that is not of the known form.
class Partitions {
 public:
  Partitions(Text& text, std::int64_t bucket_size, std::int64_t size)
      : text_(text), bucket_size_(bucket_size) {
    constexpr std::int64_t least_of_part = 400, most_of_part = 800;  // bytes of text
    list_.parts.reserve(static_cast<std::size_t>(size / least_of_part) + 1);
    names_.expect(static_cast<std::size_t>(size / most_of_part));
  }

  bool take_all() {
    do {
      if (!take_partition()) return false;
    } while (text_.take(","));
    return text_.take("\n  }");
  }

  PartList list() { return std::move(list_); }

 private:
  bool take_partition() {
    text_.ahead(kMostOfItem);
    std::string_view key;
    std::int64_t bucket = 0, tick_min = 0, tick_max = 0, rows = 0, bytes = 0;
    if (!text_.take("\n    \"") || !digits(&key)) return false;
    const std::optional<std::int64_t> keyed = parse_bucket_key(key);
    if (!text_.take("\": {\n      \"bucket_id\": ") || !number(&bucket) ||
        !text_.take(",\n      \"state\": \"ready\",\n      \"tick_min\": ") || !number(&tick_min) ||
        !text_.take(",\n      \"tick_max\": ") || !number(&tick_max) ||
        !text_.take(",\n      \"row_count\": ") || !number(&rows) ||
        !text_.take(",\n      \"byte_size\": ") || !number(&bytes) || !text_.take(",\n      \"parts\": ["))
      return false;
    if (keyed != bucket || bucket <= last_bucket_) return false;
    last_bucket_ = bucket;
    first_ = list_.parts.size();
    std::int64_t part_rows = 0, part_bytes = 0;
    const bool taken = items("\n      ],\n      \"xxh3\": [", [&] {
      PackedPart& part = list_.parts.emplace_back();
      part.bucket = bucket;
      return take_part(part) && !__builtin_add_overflow(part_rows, part.rows, &part_rows) &&
             !__builtin_add_overflow(part_bytes, part.bytes, &part_bytes);
    });
    return taken && part_rows == rows && part_bytes == bytes && take_facts();
  }

  // Until `end`: pieces behind a newline and eight spaces, with commas between them.
  template <std::size_t size, class Take>
  bool items(const char (&end)[size], const Take& take) {
    while (true) {
      text_.ahead(kMostOfItem);
      if (!text_.take("\n        ") || !take()) return false;
      if (!text_.take(",")) return text_.take(end);
    }
  }
  // The same, one for each part of the partition.
  template <std::size_t size, class Take>
  bool each(const char (&end)[size], const Take& take) {
    std::size_t at = first_;
    const bool taken = items(end, [&] { return at < list_.parts.size() && take(list_.parts[at++]); });
    return taken && at == list_.parts.size();
  }

  bool take_part(PackedPart& part) {
    if (!text_.take("{\n          \"path\": \"part-") || !hex(&part.id[0]) || !hex(&part.id[1]) ||
        !text_.take(".parquet\",\n          \"rows\": ") || !number(&part.rows) ||
        !text_.take(",\n          \"bytes\": ") || !number(&part.bytes) ||
        !text_.take(",\n          \"tick_min\": ") || !number(&part.tick_min) ||
        !text_.take(",\n          \"tick_max\": ") || !number(&part.tick_max) ||
        !text_.take(",\n          \"created_at\": \"") || !time(part) || !text_.take("\"\n        }"))
      return false;
    return part.rows > 0 && part.bytes > 0 && part.tick_min <= part.tick_max &&
           lie_in_bucket(part.tick_min, part.tick_max, part.bucket, bucket_size_) &&
           names_.insert(list_, list_.parts.size() - 1);
  }

  // What stands beside the parts, in their order.
  bool take_facts() {
    return each("\n      ],\n      \"schemas\": [",
                [&](PackedPart& part) {
                  part.checksum_kind = PackedPart::Checksum::known;
                  return text_.take("\"") && hex(&part.checksum) && text_.take("\"");
                }) &&
           each("\n      ],\n      \"seqs\": [", [&](PackedPart& part) { return schema(part); }) &&
           each("\n      ]\n    }", [&](PackedPart& part) { return number(&part.seq); });
  }

  bool digits(std::string_view* found) {
    const std::string_view ahead = text_.rest();
    std::size_t length = 0;
    while (length < ahead.size() && ahead[length] >= '0' && ahead[length] <= '9') ++length;
    *found = ahead.substr(0, length);
    text_.drop(length);
    return length > 0;
  }

  bool number(std::int64_t* value) {
    const std::string_view ahead = text_.rest();
    std::int64_t found = 0;
    std::size_t length = 0;
    for (; length < ahead.size() && ahead[length] >= '0' && ahead[length] <= '9' && length < 19; ++length)
      found = found * 10 + (ahead[length] - '0');
    if (length == 0 || length == 19 || (length > 1 && ahead.front() == '0')) return false;
    text_.drop(length);
    *value = found;
    return true;
  }

  bool hex(std::uint64_t* value) {
    const std::string_view found = text_.rest().substr(0, 16);
    text_.drop(found.size());
    return parse_hex(found, value);
  }

  // Text of characters that JSON writes as they are, among them all of a time.
  bool time(PackedPart& part) {
    const std::string_view ahead = text_.rest().substr(0, PackedPart::most_time + 1);
    const std::size_t length = ahead.find('"');
    if (length == std::string_view::npos) return false;
    std::memcpy(part.created_at, ahead.data(), length);
    for (const char c : std::string_view(part.created_at, length))
      if (c < '#' || c > '[') return false;
    part.created_at_size = static_cast<std::uint8_t>(length);
    text_.drop(length);
    return true;
  }

  bool schema(PackedPart& part) {
    if (!text_.take("\"")) return false;
    const std::string_view id = text_.rest().substr(0, 32);
    if (list_.schemas.empty() || list_.schemas[last_schema_] != id) {
      if (!is_hex_id(id)) return false;
      last_schema_ = list_.schema_index(id);
    }
    part.schema = last_schema_;
    text_.drop(id.size());
    return text_.take("\"");
  }

  Text& text_;
  const std::int64_t bucket_size_;
  PartList list_;
  PartNames names_;
  std::size_t first_ = 0;  // of the partition that is being taken
  std::int64_t last_bucket_ = -1;
  std::uint32_t last_schema_ = 0;
};

}  // namespace

std::optional<StreamedManifest> stream_manifest(Reader& file, std::int64_t bucket_size) {
  constexpr std::string_view begin = "\n  \"partitions\": {";
  Text text(file);
  text.ahead(kMostBefore);
  const std::string_view head = text.rest().substr(0, kMostBefore);
  const std::size_t at = head.find(begin);
  if (at == std::string_view::npos) return std::nullopt;
  StreamedManifest manifest{std::string(head.substr(0, at + begin.size())) + '}', {}};
  text.drop(at + begin.size());
  Partitions partitions(text, bucket_size, file.size());
  if (!partitions.take_all()) return std::nullopt;
  manifest.around += text.take_rest();
  const std::string_view seal =
      std::string_view(manifest.around)
          .substr(manifest.around.size() - std::min<std::size_t>(manifest.around.size(), kSealLength));
  std::uint64_t checksum = 0;
  if (!text.whole() || !seal.starts_with(kSealMark.before) || !seal.ends_with(kSealMark.after) ||
      !parse_hex(seal.substr(kSealMark.before.size(), 16), &checksum) || checksum != text.checksum())
    return std::nullopt;
  manifest.list = partitions.list();
  return manifest;
}

}  // namespace crv::io
