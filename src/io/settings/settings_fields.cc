#include "io/settings/settings_fields.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>
#include <type_traits>
#include <utility>

#include "core/number_text.h"
#include "core/text.h"
#include "core/utf8.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"

namespace crv::io {
namespace {

template <class E>
struct Names;  // `all`: each value with its text

template <>
struct Names<Compression> {
  static constexpr std::array<std::pair<Compression, std::string_view>, 3> all = {
      {{Compression::zstd, "zstd"}, {Compression::lz4, "lz4"}, {Compression::snappy, "snappy"}}};
};
template <>
struct Names<Durability> {
  static constexpr std::array<std::pair<Durability, std::string_view>, 2> all = {
      {{Durability::commit, "commit"}, {Durability::none, "none"}}};
};
template <>
struct Names<CostMethod> {
  static constexpr std::array<std::pair<CostMethod, std::string_view>, 4> all = {
      {{CostMethod::wac, "wac"},
       {CostMethod::fifo, "fifo"},
       {CostMethod::lifo, "lifo"},
       {CostMethod::specific_lot, "specific_lot"}}};
};
template <>
struct Names<PriceSource> {
  static constexpr std::array<std::pair<PriceSource, std::string_view>, 4> all = {
      {{PriceSource::last_trade, "last_trade"},
       {PriceSource::baseline_value, "baseline_value"},
       {PriceSource::vwap_window, "vwap_window"},
       {PriceSource::oracle, "oracle"}}};
};

template <class E>
std::string_view name_in_list(E value) {
  for (const auto& [member, name] : Names<E>::all)
    if (member == value) return name;
  return "?";
}

std::string shown(const std::string& value) {
  return value;
}
std::string shown(std::int64_t value) {
  return std::to_string(value);
}
std::string shown(bool value) {
  return value ? "true" : "false";
}
std::string shown(const JsonObject& value) {
  return write_json(Json(value), {.any_bytes = true});
}
template <class E>
  requires std::is_enum_v<E>
std::string shown(E value) {
  return std::string(name_in_list(value));
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

std::string trimmed_lower(std::string_view text) {
  std::string out = trimmed(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::string digits = trimmed(text);
  if (digits.starts_with('+')) digits.erase(0, 1);
  return core::parse_number<std::int64_t>(digits);
}

std::optional<std::int64_t> number_of(const Json& value) {
  if (const auto* text = value.get_if<std::string>()) return whole_number(*text);
  return core::whole_number(value);
}

std::optional<bool> truth(std::string_view text) {
  const std::string word = trimmed_lower(text);
  for (const auto* yes : {"1", "true", "t", "yes", "y", "on"})
    if (word == yes) return true;
  for (const auto* no : {"0", "false", "f", "no", "n", "off"})
    if (word == no) return false;
  return std::nullopt;
}

std::optional<bool> truth_of(const Json& value) {
  if (const auto* flag = value.get_if<bool>()) return *flag;
  if (const auto* text = value.get_if<std::string>()) return truth(*text);
  if (const auto number = number_of(value); number == 0 || number == 1) return number == 1;
  return std::nullopt;
}

void take(const Given& given, const FieldDef& field, std::string& out) {
  const auto* text = given.value ? given.value->get_if<std::string>() : nullptr;
  if (!field.only.empty() && (!text || *text != field.only))
    refuse_value(given, write_json(Json(field.only)) + ": there is no other yet");
  if (!text) refuse_value(given, "text");
  if (!is_utf8(*text)) refuse_value(given, "UTF-8");
  if (text->find('\0') != std::string::npos) refuse_value(given, "text without NUL characters");
  out = *text;
}

void take(const Given& given, const FieldDef&, std::int64_t& out) {
  const auto number = given.value ? number_of(*given.value) : std::nullopt;
  if (!number || *number <= 0) refuse_value(given, "a whole number above 0");
  out = *number;
}

void take(const Given& given, const FieldDef&, bool& out) {
  const auto flag = given.value ? truth_of(*given.value) : std::nullopt;
  if (!flag) refuse_value(given, "true or false (or 1, t, yes, y, on, 0, f, no, n, off)");
  out = *flag;
}

bool has_only_utf8(const Json& value) {
  if (const auto* text = value.get_if<std::string>()) return is_utf8(*text);
  if (const auto* array = value.get_if<JsonArray>()) return std::ranges::all_of(*array, has_only_utf8);
  const auto* object = value.get_if<JsonObject>();
  return object == nullptr || std::ranges::all_of(*object, [](const JsonMember& member) {
           return is_utf8(member.first) && has_only_utf8(member.second);
         });
}

void take(const Given& given, const FieldDef&, JsonObject& out) {
  const auto* object = given.value ? given.value->get_if<JsonObject>() : nullptr;
  if (!object) refuse_value(given, "a table");
  if (!has_only_utf8(*object)) refuse_value(given, "a table of texts that are UTF-8");
  out = *object;
}

template <class E>
  requires std::is_enum_v<E>
void take(const Given& given, const FieldDef&, E& out) {
  const auto* text = given.value ? given.value->get_if<std::string>() : nullptr;
  std::vector<std::string> names;
  for (const auto& [member, name] : Names<E>::all) {
    if (text && trimmed_lower(*text) == name) {
      out = member;
      return;
    }
    names.emplace_back(name);
  }
  refuse_value(given,
               "one of " + core::join(names) + (text ? did_you_mean(trimmed_lower(*text), names) : ""));
}

}  // namespace

std::string_view text_of(Compression value) noexcept {
  return name_in_list(value);
}
std::string_view text_of(Durability value) noexcept {
  return name_in_list(value);
}
std::string_view text_of(CostMethod value) noexcept {
  return name_in_list(value);
}
std::string_view text_of(PriceSource value) noexcept {
  return name_in_list(value);
}

const std::vector<FieldDef>& setting_fields() {
  using S = IoSettings;
  static const std::vector<FieldDef> list = {
      {"root_dir", +[](S& s) -> std::string& { return s.root_dir; }},
      {"partitioning", +[](S& s) -> std::string& { return s.partitioning; }, "tick_buckets"},
      {"tick_bucket_size", +[](S& s) -> std::int64_t& { return s.tick_bucket_size; }},
      {"row_group_size", +[](S& s) -> std::int64_t& { return s.row_group_size; }},
      {"compression", +[](S& s) -> Compression& { return s.compression; }},
      {"fs_protocol", +[](S& s) -> std::string& { return s.fs_protocol; }, "file"},
      {"fs_options", +[](S& s) -> JsonObject& { return s.fs_options; }},
      {"strict_schema", +[](S& s) -> bool& { return s.strict_schema; }},
      {"write_manifest_every_n", +[](S& s) -> std::int64_t& { return s.write_manifest_every_n; }},
      {"valuation.enabled", +[](S& s) -> bool& { return s.valuation.enabled; }},
      {"valuation.cost_method", +[](S& s) -> CostMethod& { return s.valuation.cost_method; }},
      {"valuation.price_source", +[](S& s) -> PriceSource& { return s.valuation.price_source; }},
      {"valuation.vwap_window_ticks", +[](S& s) -> std::int64_t& { return s.valuation.vwap_window_ticks; }},
      {"valuation.currency", +[](S& s) -> std::string& { return s.valuation.currency; }},
      {"durability", +[](S& s) -> Durability& { return s.durability; }},
  };
  return list;
}

std::vector<std::string> setting_names(std::string_view prefix) {
  std::vector<std::string> names;
  for (const FieldDef& field : setting_fields())
    if (field.key.starts_with(prefix)) names.emplace_back(field.key.substr(prefix.size()));
  return names;
}

const FieldDef* find_setting(std::string_view key) {
  const auto at = std::ranges::find(setting_fields(), key, &FieldDef::key);
  return at == setting_fields().end() ? nullptr : &*at;
}

std::string shown(const FieldDef& field, const IoSettings& settings) {
  IoSettings copy = settings;  // places give references that may be written to
  return std::visit([&](auto at) { return shown(at(copy)); }, field.place);
}

void refuse_value(const Given& given, const std::string& need) {
  const bool is_text = given.value && given.value->get_if<std::string>();
  ErrorFacts facts;
  facts.key = given.key;
  facts.value = is_utf8(given.text) ? given.text : printable(given.text);
  facts.path = given.path;
  const std::string shown_value = is_text ? '"' + shortened(facts.value) + '"' : facts.value;
  raise(ErrorCode::config_value, given.where + " is " + shown_value + ", but it must be " + need,
        std::move(facts));
}

void take(const Given& given, const FieldDef& field, IoSettings& settings) {
  std::visit([&](auto at) { take(given, field, at(settings)); }, field.place);
}

void check_settings(const IoSettings& settings) {
  IoSettings copy = settings;
  for (const FieldDef& field : setting_fields()) {
    if (field.key.starts_with(kValuationPrefix)) continue;
    Given given{std::string(field.key), "setting " + std::string(field.key), {}, shown(field, settings), {}};
    std::visit(
        [&](auto at) {
          using Value = std::remove_cvref_t<decltype(at(copy))>;
          if constexpr (std::is_same_v<Value, std::string> || std::is_same_v<Value, std::int64_t>) {
            given.value = Json(at(copy));
            take(given, field, at(copy));
          }
        },
        field.place);
  }
}

}  // namespace crv::io
