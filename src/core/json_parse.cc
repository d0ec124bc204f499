// Parsing over RapidJSON's reader, which checks the grammar, the strings and the UTF-8. Numbers come from it
// as their text, since integers may be beyond 64 bits.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/rapidjson.h"
#include "crv/core/error.h"
#include "crv/core/json.h"
#include "crv/core/shown.h"

namespace crv {
namespace {

constexpr std::size_t kMaxDepth = 512;

bool all_differ(const std::vector<JsonMember>& members) {
  for (std::size_t i = 1; i < members.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (members[i].first == members[j].first) return false;
  return true;
}

// Of keys that stand twice: the first place, the last value. `repeated(key)` is told of each.
template <class Repeated>
JsonObject object_of(std::vector<JsonMember> members, const Repeated& repeated) {
  constexpr std::size_t few = 16;  // compared with each other sooner than sorted
  if (members.size() <= few && all_differ(members)) return JsonObject(std::move(members));
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) -> std::string_view { return members[i].first; });
  std::vector<bool> dropped(members.size());
  for (std::size_t i = 0; i < order.size();) {
    const std::size_t first = order[i];
    for (++i; i < order.size() && members[order[i]].first == members[first].first; ++i) {
      repeated(members[first].first);
      dropped[order[i]] = true;
      members[first].second = std::move(members[order[i]].second);
    }
  }
  JsonObject object;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (!dropped[i]) object.push_back(std::move(members[i].first), std::move(members[i].second));
  return object;
}

// Whether a number that is beyond the range of a double is too near to 0, not too far from it.
bool is_tiny(std::string_view number) {
  const auto exponent = number.find_first_of("eE");
  if (exponent != std::string_view::npos) return number.substr(exponent + 1).starts_with('-');
  return number.starts_with("0.") || number.starts_with("-0.");
}

// Takes what the reader finds and builds the value. A handler's false ends the parse; `problem` then says
// why.
class Builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
 public:
  explicit Builder(RepeatedKeys repeated) : repeated_(repeated) { members_.reserve(32); }

  bool Null() { return add(Json(nullptr)); }
  bool Bool(bool value) { return add(Json(value)); }
  bool String(const char* text, rapidjson::SizeType size, bool) { return add(Json(std::string(text, size))); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) { return number({text, size}); }
  bool StartArray() { return open(false); }
  bool EndArray(rapidjson::SizeType) { return close(Json(taken_from(items_))); }
  bool StartObject() { return open(true); }
  bool EndObject(rapidjson::SizeType) {
    JsonObject object = object_of(taken_from(members_), [this](const std::string& key) {
      if (repeated_ == RepeatedKeys::refused && repeated_path_.empty()) repeated_path_ = path_of(key);
    });
    return repeated_path_.empty() && close(Json(std::move(object)));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    members_.emplace_back(std::string(text, size), Json());
    return true;
  }

  Json take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }
  const std::string& repeated_path() const { return repeated_path_; }  // "" where no key is refused

 private:
  // An array or object whose end is still to come: what members_ or items_ holds from `begin` on is its own,
  // up to where one inside it begins.
  struct Container {
    bool is_object = false;
    std::size_t begin = 0;
  };

  bool add(Json value) {
    if (open_.empty())
      root_ = std::move(value);
    else if (open_.back().is_object)
      members_.back().second = std::move(value);
    else
      items_.push_back(std::move(value));
    return true;
  }

  // What the innermost container holds, in a vector of just that size.
  template <class T>
  std::vector<T> taken_from(std::vector<T>& all) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(open_.back().begin);
    std::vector<T> taken(std::make_move_iterator(begin), std::make_move_iterator(all.end()));
    all.erase(begin, all.end());
    return taken;
  }

  bool open(bool is_object) {
    if (open_.size() == kMaxDepth)
      return fail("it is nested deeper than " + std::to_string(kMaxDepth) + " levels");
    open_.push_back({is_object, is_object ? members_.size() : items_.size()});
    return true;
  }

  bool close(Json value) {
    open_.pop_back();
    return add(std::move(value));
  }

  bool number(std::string_view text) {
    using Limits = std::numeric_limits<double>;
    if (text == "NaN") return add(Json(Limits::quiet_NaN()));
    if (text == "Infinity") return add(Json(Limits::infinity()));
    if (text == "-Infinity") return add(Json(-Limits::infinity()));
    const char* end = text.data() + text.size();
    if (text.find_first_of(".eE") == std::string_view::npos) {
      std::int64_t integer = 0;
      const auto result = std::from_chars(text.data(), end, integer);
      if (result.ec == std::errc::result_out_of_range) return add(Json(BigInt{std::string(text)}));
      if (result.ec == std::errc() && result.ptr == end) return add(Json(integer));
    } else {
      double value = 0;
      const auto result = std::from_chars(text.data(), end, value);
      if (result.ec == std::errc::result_out_of_range && is_tiny(text))
        return add(Json(text[0] == '-' ? -0.0 : 0.0));
      if (result.ec == std::errc() && result.ptr == end) return add(Json(value));
    }
    return fail("`" + shortened(text, 40) + "` is not a JSON number that a double can hold");
  }

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  // Of a key of the innermost object, whose members have been taken: "claims.items[].price". A key may be "",
  // so a path begins with a dot.
  std::string path_of(const std::string& key) const {
    std::string path;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      std::size_t inner = i + 1;  // the next object: the last key before its members is the way to it
      while (!open_[inner].is_object) ++inner;
      path += open_[i].is_object ? "." + members_[open_[inner].begin - 1].first : "[]";
    }
    return path + "." + key;
  }

  RepeatedKeys repeated_;
  std::string repeated_path_;
  std::vector<Container> open_;
  std::vector<JsonMember> members_;
  JsonArray items_;
  Json root_;
  std::string problem_;
};

// Whether the text needs no check of its UTF-8, which costs as much as all the rest.
bool is_ascii(std::string_view text) {
  std::uint64_t high = 0;
  for (; text.size() >= sizeof high; text.remove_prefix(sizeof high)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), sizeof bytes);
    high |= bytes;
  }
  for (const char c : text) high |= static_cast<unsigned char>(c);
  return (high & 0x8080808080808080U) == 0;
}

[[noreturn]] void raise_bad_json(const std::string& what, std::size_t offset) {
  raise(ErrorCode::bad_json, "Not valid JSON: " + what + " (at byte " + std::to_string(offset) + ")");
}

[[noreturn]] void raise_repeated(std::string path) {
  if (path.starts_with('.')) path.erase(0, 1);
  raise(ErrorCode::duplicate_column, "the key \"" + path + "\" stands twice in one JSON object",
        {.column = path});
}

}  // namespace

Json parse_json(std::string_view text, RepeatedKeys repeated) {
  constexpr unsigned flags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseNanAndInfFlag;
  rapidjson::MemoryStream in(text.data(), text.size());
  rapidjson::Reader reader;
  Builder builder(repeated);
  const rapidjson::ParseResult result =
      is_ascii(text) ? reader.Parse<flags>(in, builder)
                     : reader.Parse<flags | rapidjson::kParseValidateEncodingFlag>(in, builder);
  if (!builder.repeated_path().empty()) raise_repeated(builder.repeated_path());
  if (result.Code() == rapidjson::kParseErrorTermination) raise_bad_json(builder.problem(), result.Offset());
  if (result.IsError()) raise_bad_json(rapidjson::GetParseError_En(result.Code()), result.Offset());
  if (in.Tell() != text.size()) raise_bad_json("it holds a NUL character", in.Tell());
  return builder.take();
}

}  // namespace crv
